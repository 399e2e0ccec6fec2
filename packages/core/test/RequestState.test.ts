import { RequestState } from "@effect-sampling/core"
import * as Advice from "@effect-sampling/core/wire/Advice"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Layer, Logger, Redacted, Schema } from "effect"
import { Base64Url, Hex } from "effect/encoding"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"

const bytes = (fill: number) => new Uint8Array(32).fill(fill)

const key = (id: string, fill: number): RequestState.Key => ({ id, key: Redacted.make(bytes(fill)) })

const call: RequestState.Binding = {
  principal: "client-1/ada",
  method: "tools/call",
  name: "plan",
  arguments: { days: 3, places: ["Rome", "Siena"], budget: { currency: "EUR", amount: 900 } }
}

const journal = new TextEncoder().encode("the answers so far")

const reasonOf = (
  states: RequestState.RequestState,
  state: string,
  binding: RequestState.Binding = call
): Effect.Effect<string> =>
  states.open(state, binding).pipe(Effect.match({ onFailure: (error) => error.reason, onSuccess: () => "opened" }))

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

describe("RequestState", () => {
  it.effect("a sealed state opens to the same journal", () =>
    Effect.gen(function*() {
      const states = yield* RequestState.make({ keys: [key("a", 1)] })
      for (const length of [0, 1, 2, 3, 4, 31, 32, 33, 2048, 70_000]) {
        const content = crypto.getRandomValues(new Uint8Array(Math.min(length, 65_536)))
        const state = yield* states.seal(content, { ...call })
        const opened = yield* states.open(state, { ...call })
        assert.deepStrictEqual(opened, content)
        assert.strictEqual(opened.constructor, Uint8Array)
        assert.match(state, /^[A-Za-z0-9_-]+$/)
      }
    }))

  it.effect("a sealed state hides its journal, and no two seals are equal", () =>
    Effect.gen(function*() {
      const states = yield* RequestState.make({ keys: [key("a", 1)] })
      const one = yield* states.seal(journal, call)
      const other = yield* states.seal(journal, call)
      assert.notStrictEqual(one, other)
      const text = Buffer.from(one, "base64url").toString("latin1")
      assert.notInclude(text, "answers")
      assert.notInclude(text, "ada")
    }))

  describe("altered states", () => {
    it.effect("a state with any changed bit or character is refused", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)] })
        const state = yield* states.seal(journal, call)
        const reasons = new Set<string>()
        for (let index = 0; index < state.length; index++) {
          // The bits of the characters first, as JSON carries them; below, those of the decoded bytes.
          for (let bit = 0; bit < 16; bit++) {
            const changed = String.fromCharCode(state.charCodeAt(index) ^ (1 << bit))
            reasons.add(yield* reasonOf(states, state.slice(0, index) + changed + state.slice(index + 1)))
          }
          for (const character of alphabet) {
            if (character === state[index]) continue
            reasons.add(yield* reasonOf(states, state.slice(0, index) + character + state.slice(index + 1)))
          }
        }
        const decoded = Buffer.from(state, "base64url")
        for (let bit = 0; bit < decoded.length * 8; bit++) {
          const changed = Uint8Array.from(decoded)
          changed[bit >> 3]! ^= 1 << (bit & 7)
          reasons.add(yield* reasonOf(states, Base64Url.encode(changed)))
        }
        assert.deepStrictEqual([...reasons].toSorted(), ["malformed", "tampered", "unknownKey"])
        assert.strictEqual(yield* reasonOf(states, state), "opened")
      }))

    it.effect("a state that was cut or extended is refused", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)] })
        const reasons = new Set<string>()
        // Three lengths, because base64 ends in three ways.
        for (const length of [18, 19, 20]) {
          const state = yield* states.seal(journal.slice(0, length), call)
          for (let end = 0; end < state.length; end++) {
            reasons.add(yield* reasonOf(states, state.slice(0, end)))
            reasons.add(yield* reasonOf(states, state.slice(end + 1)))
          }
          const additions = [
            ...alphabet.split(""),
            "=",
            "==",
            "===",
            " ",
            "\n",
            "\r\n",
            "\t",
            "\u0000",
            "\uFEFF",
            "%3D",
            ".",
            state
          ]
          for (const added of additions) {
            reasons.add(yield* reasonOf(states, state + added))
            reasons.add(yield* reasonOf(states, added + state))
            reasons.add(yield* reasonOf(states, state.slice(0, 40) + added + state.slice(40)))
          }
        }
        assert.notInclude([...reasons], "opened")
      }))

    it.effect.prop("an arbitrary string is refused as a state", [Schema.String], ([text]) =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)] })
        assert.strictEqual(yield* reasonOf(states, text), "malformed")
      }), { arbitrary: { runs: 500 } })

    it.effect.prop(
      "a state of arbitrary bytes is refused",
      [Schema.Uint8Array],
      ([content]) =>
        Effect.gen(function*() {
          const states = yield* RequestState.make({ keys: [key("a", 1)] })
          for (const start of [[], [1], [2], [3], [1, 1, 97]]) {
            const text = Base64Url.encode(Uint8Array.from([...start, ...content]))
            assert.include(["malformed", "tampered", "unknownKey"], yield* reasonOf(states, text))
          }
        }),
      { arbitrary: { runs: 500 } }
    )

    it.effect("a state that is longer than maxBytes is refused without decoding", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)], maxBytes: 1000 })
        assert.strictEqual(yield* reasonOf(states, "A".repeat(100_000_000)), "malformed")
      }))
  })

  describe("binding", () => {
    const others: ReadonlyArray<[string, Partial<RequestState.Binding>]> = [
      ["another principal", { principal: "client-1/bob" }],
      ["no principal", { principal: undefined }],
      ["an empty principal", { principal: "" }],
      ["another method", { method: "prompts/get" }],
      ["another name", { name: "plan2" }],
      ["other arguments", {
        arguments: { days: 4, places: ["Rome", "Siena"], budget: { currency: "EUR", amount: 900 } }
      }],
      ["arguments in another order", {
        arguments: { days: 3, places: ["Siena", "Rome"], budget: { currency: "EUR", amount: 900 } }
      }],
      ["no arguments", { arguments: undefined }],
      ["arguments as text", { arguments: JSON.stringify(call.arguments) }],
      ["method and name swapped", { method: "plan", name: "tools/call" }],
      ["principal and name swapped", { principal: "plan", name: "client-1/ada" }],
      ["a part of the name in the method", { method: "tools/callp", name: "lan" }]
    ]

    it.effect.each(others)("a state is refused for %s", ([, other]) =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)] })
        const state = yield* states.seal(journal, call)
        assert.strictEqual(yield* reasonOf(states, state, { ...call, ...other }), "foreign")
        const back = yield* states.seal(journal, { ...call, ...other })
        assert.strictEqual(yield* reasonOf(states, back), "foreign")
      }))

    it.effect("a state distinguishes no principal from an empty principal", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)] })
        const nobody = { ...call, principal: undefined }
        const empty = { ...call, principal: "" }
        assert.strictEqual(yield* reasonOf(states, yield* states.seal(journal, nobody), empty), "foreign")
        assert.strictEqual(yield* reasonOf(states, yield* states.seal(journal, empty), nobody), "foreign")
        assert.strictEqual(yield* reasonOf(states, yield* states.seal(journal, nobody), nobody), "opened")
      }))

    it.effect("a state opens for arguments with their keys in another order", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)] })
        const state = yield* states.seal(journal, call)
        const sorted = { budget: { amount: 900, currency: "EUR" }, places: ["Rome", "Siena"], days: 3 }
        assert.strictEqual(yield* reasonOf(states, state, { ...call, arguments: sorted }), "opened")
      }))

    it.effect("a state may be bound to arguments that are nested 100000 levels deep", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)] })
        const nested = (depth: number) => {
          let value: unknown = []
          for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value }
          return value
        }
        const deep = { ...call, arguments: nested(100_000) }
        const state = yield* states.seal(journal, deep)
        assert.strictEqual(yield* reasonOf(states, state, deep), "opened")
        assert.strictEqual(yield* reasonOf(states, state, { ...call, arguments: nested(100_001) }), "foreign")
      }))
  })

  describe("time to live", () => {
    it.effect("a state expires after an hour by default", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)] })
        const state = yield* states.seal(journal, call)
        yield* TestClock.adjust("59 minutes")
        assert.strictEqual(yield* reasonOf(states, state), "opened")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* reasonOf(states, state), "expired")
      }))

    it.effect("a state from the future, which was sealed before the clock went back, is refused beyond a small skew", () =>
      Effect.gen(function*() {
        for (const ttl of ["10 minutes", "Infinity"] as const) {
          const states = yield* RequestState.make({ keys: [key("a", 1)], ttl })
          yield* TestClock.setTime(Date.UTC(2026, 0, 2))
          const state = yield* states.seal(journal, call)
          for (const [millis, expected] of [[60_000, "opened"], [60_001, "future"], [86_400_000, "future"]] as const) {
            yield* TestClock.setTime(Date.UTC(2026, 0, 2) - millis)
            assert.strictEqual(yield* reasonOf(states, state), expected)
          }
        }
      }))

    it.effect("a foreign principal does not learn that a state has expired", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)], ttl: "1 second" })
        const state = yield* states.seal(journal, call)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* reasonOf(states, state, { ...call, principal: "client-1/bob" }), "foreign")
      }))

    it.effect("a shorter time to live applies to states sealed before, and a longer one does not", () =>
      Effect.gen(function*() {
        const long = yield* RequestState.make({ keys: [key("a", 1)], ttl: "1 hour" })
        const short = yield* RequestState.make({ keys: [key("a", 1)], ttl: "1 minute" })
        const ofLong = yield* long.seal(journal, call)
        const ofShort = yield* short.seal(journal, call)
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(yield* reasonOf(short, ofLong), "expired")
        assert.strictEqual(yield* reasonOf(long, ofShort), "expired")
        assert.strictEqual(yield* reasonOf(long, ofLong), "opened")
      }))

    it.effect("a state with an infinite time to live never expires", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)], ttl: "Infinity" })
        const state = yield* states.seal(journal, call)
        yield* TestClock.adjust("36500 days")
        assert.strictEqual(yield* reasonOf(states, state), "opened")
      }))
  })

  describe("keys", () => {
    it.effect("a state opens with every key of the ring until its key is retired", () =>
      Effect.gen(function*() {
        const before = yield* RequestState.make({ keys: [key("old", 1)] })
        const during = yield* RequestState.make({ keys: [key("new", 2), key("old", 1)] })
        const after = yield* RequestState.make({ keys: [key("new", 2)] })
        const old = yield* before.seal(journal, call)
        const fresh = yield* during.seal(journal, call)
        assert.strictEqual(yield* reasonOf(during, old), "opened")
        assert.strictEqual(yield* reasonOf(after, fresh), "opened")
        assert.strictEqual(yield* reasonOf(after, old), "unknownKey")
        assert.strictEqual(yield* reasonOf(before, fresh), "unknownKey")
      }))

    it.effect("a state that another key sealed under the same id is refused", () =>
      Effect.gen(function*() {
        const one = yield* RequestState.make({ keys: [key("a", 1)] })
        const other = yield* RequestState.make({ keys: [key("a", 2)] })
        assert.strictEqual(yield* reasonOf(other, yield* one.seal(journal, call)), "tampered")
      }))

    it.effect("a state whose key id was changed to another id of the ring is refused", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1), key("b", 1)] })
        const decoded = Buffer.from(yield* states.seal(journal, call), "base64url")
        decoded[2] = "b".charCodeAt(0)
        assert.strictEqual(yield* reasonOf(states, decoded.toString("base64url")), "tampered")
      }))

    it.effect("a key may be bytes, base64, base64url or hex", () =>
      Effect.gen(function*() {
        const raw = Uint8Array.from({ length: 32 }, (_, index) => 255 - index)
        const text = Buffer.from(raw)
        const state = yield* Effect.flatMap(
          RequestState.make({ keys: [{ id: "a", key: Redacted.make(raw) }] }),
          (states) => states.seal(journal, call)
        )
        const base64 = text.toString("base64")
        const forms = [base64, base64.slice(0, -1), ` ${base64}\n`, text.toString("base64url"), Hex.encode(raw)]
        for (const form of forms) {
          const states = yield* RequestState.make({ keys: [{ id: "a", key: Redacted.make(form) }] })
          assert.strictEqual(yield* reasonOf(states, state), "opened")
        }
      }))

    it.effect("a key that is changed after make does not change the sealing", () =>
      Effect.gen(function*() {
        const raw = bytes(1)
        const states = yield* RequestState.make({ keys: [{ id: "a", key: Redacted.make(raw) }] })
        raw.fill(9)
        const state = yield* states.seal(journal, call)
        assert.strictEqual(yield* reasonOf(yield* RequestState.make({ keys: [key("a", 1)] }), state), "opened")
      }))

    const secret = "correct horse battery staple"
    const invalid: ReadonlyArray<[string, Partial<RequestState.Options>, string]> = [
      ["no keys", { keys: [] }, "There is no key"],
      [
        "a passphrase as a key",
        { keys: [key("a", 1), { id: "b", key: Redacted.make(secret) }] },
        "Key 2 of 2 is not 32 bytes"
      ],
      [
        "a key of 16 bytes",
        { keys: [{ id: "a", key: Redacted.make(new Uint8Array(16)) }] },
        "Key 1 of 1 is not 32 bytes"
      ],
      [
        "a key of 33 bytes",
        { keys: [{ id: "a", key: Redacted.make(Hex.encode(new Uint8Array(33))) }] },
        "is not 32 bytes"
      ],
      ["a key of 32 characters", { keys: [{ id: "a", key: Redacted.make("a".repeat(32)) }] }, "is not 32 bytes"],
      ["two keys of one id", { keys: [key("a", 1), key("a", 2)] }, "Key 2 of 2 has the same id as another key"],
      ["an empty key id", { keys: [key("", 1)] }, "has no valid id"],
      ["a key id of 33 characters", { keys: [key("a".repeat(33), 1)] }, "has no valid id"],
      ["a key id with a space", { keys: [key("a b", 1)] }, "has no valid id"],
      ["a key id with a non-ASCII letter", { keys: [key("schlüssel", 1)] }, "has no valid id"],
      ["a time to live of 0", { ttl: 0 }, "ttl has to be greater than 0"],
      ["maxBytes 0", { maxBytes: 0 }, "maxBytes has to be greater than 0"],
      ["maxBytes NaN", { maxBytes: Number.NaN }, "maxBytes has to be greater than 0"]
    ]

    it.effect.each(invalid)(
      "RequestState options with %s are refused",
      ([, options, message]) =>
        Effect.gen(function*() {
          const layer = RequestState.layer({ keys: [key("a", 1)], ...options })
          const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
          assert.strictEqual(error._tag, "InvalidOptions")
          assert.include(error.message, message)
          assert.notInclude(error.message, secret)
        })
    )
  })

  describe("maxBytes", () => {
    it.effect("maxBytes is the length of the longest state that is sealed and opened", () =>
      Effect.gen(function*() {
        const any = yield* RequestState.make({ keys: [key("a", 1)] })
        const state = yield* any.seal(journal, call)
        const exact = yield* RequestState.make({ keys: [key("a", 1)], maxBytes: state.length })
        const less = yield* RequestState.make({ keys: [key("a", 1)], maxBytes: state.length - 1 })
        assert.strictEqual(yield* reasonOf(exact, yield* exact.seal(journal, call)), "opened")
        assert.strictEqual(yield* reasonOf(less, state), "malformed")
        const error = yield* Effect.flip(less.seal(journal, call))
        assert.strictEqual(error._tag, "StateNotKept")
        assert.strictEqual(error.reason, "tooLarge")
        assert.include(Advice.of(error), "RequestState.layerStored")
        assert.include(Advice.of(error), "Rounds.once")
      }))

    it.effect("maxBytes is 1 MiB by default", () =>
      Effect.gen(function*() {
        const states = yield* RequestState.make({ keys: [key("a", 1)] })
        const largest = 1024 * 1024 * 3 / 4 - 32 - 1 - 2 - 12 - 12 - 16
        assert.strictEqual((yield* states.seal(new Uint8Array(largest), call)).length, 1024 * 1024)
        const error = yield* Effect.flip(states.seal(new Uint8Array(largest + 1), call))
        assert.strictEqual(error.reason, "tooLarge")
      }))
  })

  describe("layerConfig", () => {
    const base64 = (fill: number) => Buffer.from(bytes(fill)).toString("base64")

    const build = (environment: Record<string, string>, options?: RequestState.ConfigOptions) =>
      Effect.provide(
        RequestState.RequestState,
        RequestState.layerConfig(options).pipe(
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(environment)))
        )
      )

    it.effect("layerConfig reads the key ring and the time to live", () =>
      Effect.gen(function*() {
        const states = yield* build({
          SAMPLING_STATE_KEYS: ` new:${base64(2)} , old:${base64(1)}\n`,
          SAMPLING_STATE_TTL: "5 minutes"
        })
        const old = yield* RequestState.make({ keys: [key("old", 1)] })
        const fresh = yield* RequestState.make({ keys: [key("new", 2)] })
        assert.strictEqual(yield* reasonOf(states, yield* old.seal(journal, call)), "opened")
        const state = yield* states.seal(journal, call)
        assert.strictEqual(yield* reasonOf(fresh, state), "opened")
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(yield* reasonOf(fresh, state), "expired")
      }))

    it.effect("layerConfig accepts another Config for each option", () =>
      Effect.gen(function*() {
        const states = yield* build({ RING: `a:${base64(1)}`, LIMIT: "10" }, {
          keys: RequestState.configKeys("RING"),
          maxBytes: Config.Int("LIMIT")
        })
        assert.strictEqual((yield* Effect.flip(states.seal(journal, call))).reason, "tooLarge")
      }))

    it.effect.each([
      {},
      { SAMPLING_STATE_KEYS: "" },
      { SAMPLING_STATE_KEYS: base64(7) },
      { SAMPLING_STATE_KEYS: `${base64(7)}:a` },
      { SAMPLING_STATE_KEYS: `a:${base64(7)},${base64(7)}` },
      { SAMPLING_STATE_KEYS: `a:${base64(7)},` },
      { SAMPLING_STATE_KEYS: `a:${base64(7)},a:${base64(7)}` },
      { SAMPLING_STATE_KEYS: `a:${base64(7)}BwcH` },
      { SAMPLING_STATE_KEYS: `a:${base64(7)}`, SAMPLING_STATE_TTL: "soon" },
      { SAMPLING_STATE_KEYS: `a:${base64(7)}`, SAMPLING_STATE_TTL: "0 seconds" }
    ])(
      "layerConfig refuses wrong variables without showing their keys (case %#)",
      (environment) =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(build(environment))
          assert.strictEqual(error._tag, "ConfigError")
          assert.notInclude(`${error.message} ${JSON.stringify(error)} ${inspect(error)}`, "BwcH")
          assert.include(
            error.message,
            "SAMPLING_STATE_TTL" in environment ? "SAMPLING_STATE_TTL" : "SAMPLING_STATE_KEYS"
          )
        })
    )

    it.effect("layerConfig says what to set where no keys are set", () =>
      Effect.gen(function*() {
        const { message } = yield* Effect.flip(build({}))
        assert.include(message, "SAMPLING_STATE_KEYS is not set. Set it to the keys of all servers: id:key,id:key")
      }))

    it.effect("configKeys can have a default for a variable that is not set", () =>
      Effect.gen(function*() {
        const keys = RequestState.configKeys("RING").pipe(Config.withDefault([key("test", 1)]))
        const states = yield* build({}, { keys })
        const same = yield* RequestState.make({ keys: [key("test", 1)] })
        assert.strictEqual(yield* reasonOf(states, yield* same.seal(journal, call)), "opened")
        const error = yield* Effect.flip(build({ RING: "a" }, { keys }))
        assert.include(error.message, "RING")
      }))
  })

  describe("without a layer", () => {
    const nothing = (reason: string) => assert.strictEqual(reason, "unknownKey")

    it.effect("without a layer, a warning is logged once and states open in the same process only", () =>
      Effect.gen(function*() {
        const logged: Array<string> = []
        const logger = Logger.make(({ message }) => void logged.push(String(message)))
        const states = yield* RequestState.RequestState
        const configured = yield* RequestState.make({ keys: [key("a", 1)] })
        nothing(yield* reasonOf(states, yield* configured.seal(journal, call)))
        const sealed = yield* Effect.forEach([1, 2, 3], () => states.seal(journal, call), {
          concurrency: "unbounded"
        }).pipe(Effect.provide(Logger.layer([logger])))
        for (const state of sealed) assert.deepStrictEqual(yield* states.open(state, call), journal)
        assert.strictEqual(logged.length, 1)
        assert.include(logged[0], "RequestState.layer({ keys })")
        nothing(yield* reasonOf(states, yield* configured.seal(journal, call)))
        nothing(yield* reasonOf(configured, sealed[0]!))
      }))
  })

  it.effect("a StateRejected does not show the state, the key or the journal", () =>
    Effect.gen(function*() {
      const states = yield* RequestState.make({ keys: [key("a", 1)] })
      const state = yield* states.seal(journal, call)
      const errors = [
        yield* Effect.flip(states.open(`${state}A`, call)),
        yield* Effect.flip(states.open(state, { ...call, name: "other" })),
        yield* Effect.flip(states.open(state.replace(/.$/, (last) => last === "A" ? "E" : "A"), call))
      ]
      for (const error of errors) {
        assert.strictEqual(error._tag, "StateRejected")
        assert.notInclude(`${error.message} ${JSON.stringify(error)}`, state.slice(0, 20))
        assert.isAbove(error.message.length, 20)
      }
    }))
})
