import { assert, describe, it } from "@effect/vitest"
import { dropNulls } from "../src/internal/dropNulls.ts"

const dropped = (message: unknown): unknown => {
  dropNulls(message)
  return message
}

describe("dropNulls", () => {
  it("null for an absent member of a message is removed, at every level", () => {
    assert.deepStrictEqual(dropped({ jsonrpc: "2.0", id: 1, method: "tools/list", params: null }), {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/list"
    })
    assert.deepStrictEqual(
      dropped([{
        method: "initialize",
        params: {
          capabilities: { sampling: { tools: null }, roots: null },
          clientInfo: { name: "a", version: "1", title: null, icons: [{ src: "b", sizes: null }] },
          _meta: null
        }
      }]),
      [{
        method: "initialize",
        params: {
          capabilities: { sampling: {} },
          clientInfo: { name: "a", version: "1", icons: [{ src: "b" }] }
        }
      }]
    )
  })

  it("nulls of user data stay, and so do items of lists and the parameters of other methods", () => {
    const params = {
      name: "a",
      arguments: { b: null },
      inputResponses: { c: { action: "accept", content: { d: null } } },
      metadata: { e: null },
      tools: [{ inputSchema: { default: null }, outputSchema: { enum: [null] } }],
      messages: [{ content: [{ input: { f: null }, structuredContent: { g: null } }, null] }]
    }
    assert.deepStrictEqual(dropped({ method: "tools/call", params }), { method: "tools/call", params })
    assert.deepStrictEqual(dropped({ method: "acme/find", params: { a: null } }), {
      method: "acme/find",
      params: { a: null }
    })
  })

  it("the parameters of the caller are not changed", () => {
    const params = { name: "a", arguments: null }
    assert.deepStrictEqual(dropped({ method: "tools/call", params }), { method: "tools/call", params: { name: "a" } })
    assert.isNull(params.arguments)
  })

  it("null beside a result or an error is removed, and an answer of null alone stays", () => {
    assert.deepStrictEqual(dropped({ id: 1, result: { _meta: null, a: null }, error: null }), {
      id: 1,
      result: { a: null }
    })
    assert.deepStrictEqual(dropped({ id: 1, result: null, error: { code: 1 } }), { id: 1, error: { code: 1 } })
    assert.deepStrictEqual(dropped({ id: 1, result: null }), { id: 1, result: null })
  })

  it("values that are nested deeply, or are no messages, are left alone", () => {
    let deep: unknown = null
    for (let level = 0; level < 100_000; level++) deep = { a: deep }
    dropNulls({ method: "tools/list", params: { cursor: null, deep } })
    for (const value of [null, 1, "a", [], [null], undefined]) dropNulls(value)
  })
})
