import type { RequestState } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { createHash } from "node:crypto"
import { canonicalJson } from "../../src/internal/sealing/canonical.ts"
import { kinds } from "../../src/internal/sealing/envelope.ts"
import { makeKeyRing } from "../../src/internal/sealing/keyRing.ts"
import { makeSealer, openBound, sealBound } from "../../src/internal/sealing/sealer.ts"
import {
  makeNonces,
  nodeCrypto,
  type StateCrypto,
  stateCrypto,
  webCrypto
} from "../../src/internal/sealing/stateCrypto.ts"

const node = nodeCrypto()!

const both: ReadonlyArray<[string, StateCrypto]> = [["node:crypto", node], ["Web Crypto", webCrypto]]

const pairs: ReadonlyArray<[string, string, StateCrypto, StateCrypto]> = both.flatMap(([name, crypto]) =>
  both.map(([otherName, other]): [string, string, StateCrypto, StateCrypto] => [name, otherName, crypto, other])
)

const sealer = (crypto: StateCrypto) =>
  makeSealer(
    crypto,
    Result.getOrThrow(makeKeyRing(crypto, [{ id: "a", key: Redacted.make(new Uint8Array(32).fill(1)) }])),
    1000
  )

const binding = (): RequestState.Binding => ({
  principal: "Zoë",
  method: "tools/call",
  name: "plan",
  arguments: { text: "naïve — 🙂" }
})

const payload = Uint8Array.from({ length: 300 }, (_, index) => index)

describe("stateCrypto", () => {
  it("Node uses node:crypto for states", () => {
    assert.strictEqual(stateCrypto(), node)
  })

  it.each(both)("the nonces of %s are unique and random in every bit", (_, crypto) => {
    const nonces = Array.from({ length: 1000 }, () => Buffer.from(crypto.nonce()).toString("hex"))
    assert.strictEqual(new Set(nonces).size, 1000)
    for (const nonce of nonces) assert.match(nonce, /^[0-9a-f]{24}$/)
    // Every bit is random, including those that are mixed with the time.
    for (let bit = 0; bit < 96; bit++) {
      const ones = nonces.filter((nonce) => (Number.parseInt(nonce[bit >> 2]!, 16) >> (bit & 3) & 1) === 1).length
      assert.isAbove(ones, 350)
      assert.isBelow(ones, 650)
    }
  })

  it("processes cloned with the same random bytes make different nonces", () => {
    const clones = Array.from({ length: 100 }, () => makeNonces((length) => new Uint8Array(length)))
    const nonces = clones.map((nonce) => Buffer.from(nonce()).toString("hex"))
    assert.isAbove(new Set(nonces).size, 1)
    assert.notInclude(nonces, "0".repeat(24))
  })

  it.effect.each(pairs)("a state sealed with %s opens with %s", ([, , from, to]) =>
    Effect.gen(function*() {
      const state = yield* sealBound(
        sealer(from),
        kinds.journal,
        { issued: 5, expires: 7 },
        payload,
        binding()
      )
      const opened = yield* openBound(sealer(to), kinds.journal, state, binding())
      assert.deepStrictEqual(opened.payload, payload)
      assert.deepStrictEqual(opened.times, { issued: 5, expires: 7 })
    }))

  it.effect.each(both)("%s refuses a state with any changed byte", ([, crypto]) =>
    Effect.gen(function*() {
      const target = sealer(crypto)
      const times = { issued: 5, expires: 7 }
      const state = yield* sealBound(target, kinds.journal, times, payload, binding())
      const bytes = Result.getOrThrow(Base64Url.decode(state))
      const reasons = new Set<string>()
      for (let index = 0; index < bytes.length; index++) {
        const changed = Uint8Array.from(bytes)
        changed[index]! ^= 2
        reasons.add(yield* Effect.flip(openBound(target, kinds.journal, Base64Url.encode(changed), binding())))
      }
      assert.deepStrictEqual([...reasons].toSorted(), ["malformed", "tampered", "unknownKey"])
    }))

  it.effect.each(both)("%s hashes text as UTF-8", ([, crypto]) =>
    Effect.gen(function*() {
      for (const text of ["", "abc", "naïve — 🙂"]) {
        const expected = createHash("sha256").update(text, "utf8").digest("hex")
        assert.strictEqual(Buffer.from(yield* crypto.sha256(text)).toString("hex"), expected)
      }
    }))

  it.each(both)("%s decodes only canonical base64url", (_, crypto) => {
    for (const text of ["=", "A", "AB", "AA==", "AA=", "AAB", "A A", "AA\n", "+/AA", "AAé", "AAA\u0000"]) {
      assert.isUndefined(crypto.fromBase64Url(text), text)
    }
    for (const text of ["", "AA", "AAA", "AAAA", "-_8"]) {
      assert.strictEqual(crypto.toBase64Url(crypto.fromBase64Url(text)!), text)
    }
  })

  it.effect.prop(
    "node:crypto and Web Crypto decode the same strings as base64url",
    [Schema.String],
    ([text]) =>
      Effect.sync(() => {
        for (const tried of [text, Buffer.from(text).toString("base64url"), Buffer.from(text).toString("base64")]) {
          const [one, other] = [node.fromBase64Url(tried), webCrypto.fromBase64Url(tried)]
          assert.deepStrictEqual(one && [...one], other && [...other])
        }
      })
  )
})

describe("canonicalJson", () => {
  // The obvious recursive form, which overflows the stack for input that is nested a million levels deep.
  const written = (json: Schema.Json): string =>
    Array.isArray(json)
      ? `[${json.map(written).join()}]`
      : typeof json === "object" && json !== null
      ? `{${
        Object.entries(json).toSorted(([a], [b]) => a < b ? -1 : 1).map(([key, value]) =>
          `${JSON.stringify(key)}:${written(value)}`
        ).join()
      }}`
      : JSON.stringify(json)

  it.effect.prop("canonicalJson writes arbitrary JSON with sorted keys", [Schema.Json], ([json]) =>
    Effect.sync(() => {
      assert.strictEqual(canonicalJson(json), written(json))
    }))

  it("canonicalJson sorts keys, and omits what JSON.stringify omits", () => {
    const value = { b: 1, a: [undefined, () => 1, -0, 1e21, "\u2028\ud800"], c: undefined, "": null, "é": {}, "Z": [] }
    assert.strictEqual(
      canonicalJson(value),
      String.raw`{"":null,"Z":[],"a":[null,null,0,1e+21,"` + "\u2028" + String.raw`\ud800"],"b":1,"é":{}}`
    )
    assert.strictEqual(canonicalJson(JSON.parse(`{"__proto__":1,"10":2,"9":3}`)), `{"10":2,"9":3,"__proto__":1}`)
  })

  it("canonicalJson terminates for bigints and cycles", () => {
    const cyclic: Record<string, unknown> = { big: 1n }
    cyclic["self"] = cyclic
    cyclic["again"] = [cyclic["big"], cyclic["big"]]
    assert.strictEqual(canonicalJson(cyclic), `{"again":[1n,1n],"big":1n,"self":cycle}`)
    const shared = {}
    assert.strictEqual(canonicalJson([shared, shared]), "[{},{}]")
  })
})
