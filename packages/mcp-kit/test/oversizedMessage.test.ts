import { assert, describe, it } from "@effect/vitest"
import * as OversizedMessage from "../src/internal/oversizedMessage.ts"

describe("oversizedMessage", () => {
  const ends = (text: string): [string, string] => [text.slice(0, 512), text.slice(-512)]
  const large = "x".repeat(2000)
  const cases: ReadonlyArray<[string, unknown]> = [
    [`{"jsonrpc":"2.0","id":5,"result":{"x":"${large}"}}`, { kind: "answer", id: 5 }],
    [`{"id":"5","jsonrpc":"2.0","result":{"x":"${large}"}}`, { kind: "answer", id: "5" }],
    [`{ "result": {"x":"${large}"},\n "jsonrpc": "2.0", "id": 5 }`, { kind: "answer", id: 5 }],
    [`{"result":{"x":"${large}"},"id":5,"jsonrpc":"2.0"}`, { kind: "answer", id: 5 }],
    [`{"error":{"code":1,"message":"${large}"},"id":5,"jsonrpc":"2.0"}`, { kind: "answer", id: 5 }],
    [`{"jsonrpc":"2.0","id":5,"method":"x","params":{"x":"${large}"}}`, { kind: "request", id: 5 }],
    [`{"method":"x","params":{"x":"${large}"},"jsonrpc":"2.0","id":5}`, { kind: "request", id: 5 }],
    [`{"params":{"x":"${large}"},"method":"x","id":5}`, { kind: "request", id: 5 }],
    [`{"id":5,"params":{"x":"${large}"},"method":"x"}`, { kind: "request", id: 5 }],
    [`{"result":{"x":"${large}","id":9},"id":5}`, { kind: "answer", id: 5 }],
    [`{"result":{"id":9,"x":"${large}","id":9}}`, undefined],
    [`{"method":"notifications/x","params":{"x":"${large}"}}`, undefined],
    [`{"result":{"id":"${large}`, undefined],
    [large, undefined]
  ]
  it.each(cases)("The ends of %s tell what it is", (text, expected) => {
    assert.deepStrictEqual(OversizedMessage.make(...ends(text)), expected)
  })
})
