/**
 * The `requestState` that carries the journal of a call from one round to the next, while the client holds it.
 *
 * A state is sealed with AES-256-GCM. The client can neither read nor change it, and cannot use it for another caller,
 * for another request, or after it has expired.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { withAdvice } from "./internal/advice.ts"
import { configError } from "./internal/configError.ts"
import { kinds } from "./internal/sealing/envelope.ts"
import { emptyKeyRing, makeKeyRing, makeProcessKeyRing, parseKeys } from "./internal/sealing/keyRing.ts"
import { rejectionMessages } from "./internal/sealing/messages.ts"
import type { Binding, Key, Rejection } from "./internal/sealing/models.ts"
import { rejections } from "./internal/sealing/models.ts"
import { boundLength, makeSealer, openBound, sealBound, type Sealer } from "./internal/sealing/sealer.ts"
import { stateCrypto } from "./internal/sealing/stateCrypto.ts"
import { openStored, removeExpired as removeExpiredOf, sealStored } from "./internal/sealing/stored.ts"

export type {
  /**
   * @category models
   * @since 0.1.0
   */
  Binding,
  /**
   * @category models
   * @since 0.1.0
   */
  Key
} from "./internal/sealing/models.ts"

/**
 * The client sent back a state that this server did not make for this call, or that is no longer valid. No part of the
 * handler has run.
 *
 * - `malformed`: it is not a state, or it was truncated, extended or reformatted
 * - `unknownKey`: it names a key that this server does not have
 * - `tampered`: its content does not match its seal
 * - `foreign`: it belongs to another principal or to another request
 * - `expired`: it is older than its time to live
 * - `future`: it was sealed more than a minute later than now, because a clock was set back in between
 * - `used`: it may be used only once, and it was used before
 * - `missing`: the store no longer holds its entry
 *
 * The message may be sent to the client, because it reveals nothing about the state.
 *
 * @category errors
 * @since 0.1.0
 */
export class StateRejected
  extends Schema.TaggedError<StateRejected>("@effect-sampling/core/RequestState/StateRejected")("StateRejected", {
    reason: Schema.Literals(rejections),
    message: Schema.String
  })
{}

/**
 * The state could not be sealed, stored or read, because it is larger than allowed or because its store failed.
 *
 * @category errors
 * @since 0.1.0
 */
export class StateNotKept
  extends Schema.TaggedError<StateNotKept>("@effect-sampling/core/RequestState/StateNotKept")("StateNotKept", {
    reason: Schema.Literals(["tooLarge", "store"]),
    message: Schema.String
  })
{}

/**
 * The options are not valid: there are no keys, a key does not have 32 bytes, an id is invalid or used twice, or a time
 * to live or limit is not positive. The message names a key by its position in the list and never shows the key itself.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidOptions
  extends Schema.TaggedError<InvalidOptions>("@effect-sampling/core/RequestState/InvalidOptions")("InvalidOptions", {
    message: Schema.String
  })
{}

/**
 * Converts the journal of a call to the state that the client holds, and back.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestState {
  readonly seal: (journal: Uint8Array, binding: Binding) => Effect.Effect<string, StateNotKept>
  /**
   * Opens a state. It accepts any string and rejects invalid states. The binding has to be the one that the state was
   * sealed with.
   */
  readonly open: (state: string, binding: Binding) => Effect.Effect<Uint8Array, StateRejected | StateNotKept>
}

/**
 * The `RequestState` that seals and opens states. Default: one that seals with a random key, which is generated for the
 * first state and shared by the whole process.
 *
 * **Gotchas**
 *
 * With the default, calls in progress are rejected (`unknownKey`) after a restart and by a second process. One warning
 * in the log says so. Provide {@link layer} or {@link layerConfig} in production.
 *
 * @category references
 * @since 0.1.0
 */
export const RequestState = Context.Reference<RequestState>("@effect-sampling/core/RequestState", {
  defaultValue: () => processState
})

/**
 * Options for sealing states.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The first key seals; all keys open. To change keys, put a new one first and keep the old one until its states have
   * expired.
   */
  readonly keys: ReadonlyArray<Key>
  /**
   * The time for which a state is valid. Default: 1 hour, because a person may have to approve a sample. When you
   * shorten it, states that were sealed before expire earlier, too; when you lengthen it, they do not live longer.
   */
  readonly ttl?: Duration.Input | undefined
  /**
   * The maximal length of a state, in bytes. Default: 1 MiB, because servers accept requests of only a few MiB. A
   * longer state is not sealed (`tooLarge`) and not opened (`malformed`).
   */
  readonly maxBytes?: number | undefined
}

const defaultMaxBytes = 1024 * 1024

/**
 * Builds a `RequestState` that seals states with the given keys. Every server that has the keys can continue a call.
 *
 * **Details**
 *
 * A state is base64url text. It holds the kind and version of the format, the id of the key, the times at which it was
 * sealed and expires, a random nonce of 96 bits, and a part encrypted with AES-256-GCM: the SHA-256 of the binding, and
 * the journal. Everything is authenticated. The synchronous `node:crypto` is used if the platform has it, and Web Crypto
 * otherwise; either opens the states of the other.
 *
 * A state can be presented more than once until it expires.
 *
 * **Gotchas**
 *
 * Change a key before it has sealed 2^32 states, because random nonces may repeat after that many (NIST SP 800-38D,
 * 8.3). At a thousand states a second, that takes 49 days.
 *
 * Source: MCP 2026-07-28, multi round-trip requests; NIST SP 800-38D.
 *
 * @see {@link layer}
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Effect.Effect<RequestState, InvalidOptions> =>
  Effect.gen(function*() {
    const maxBytes = yield* positive("maxBytes", options.maxBytes ?? defaultMaxBytes)
    return sealed(yield* sealerOf(options), maxBytes)
  })

/**
 * A Layer that seals states with the given keys, as {@link make} does.
 *
 * **Example** (Sealing with keys of your own)
 *
 * ```ts
 * import { RequestState } from "@effect-sampling/core"
 * import { Effect, Redacted } from "effect"
 *
 * const layer = RequestState.layer({
 *   keys: [
 *     { id: "2026-11", key: Redacted.make("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=") },
 *     { id: "2026-10", key: Redacted.make("EjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8=") }
 *   ],
 *   ttl: "30 minutes"
 * })
 *
 * const call = { principal: "client-1/ada", method: "tools/call", name: "plan", arguments: { days: 3 } }
 *
 * const program = Effect.gen(function*() {
 *   const states = yield* RequestState.RequestState
 *   const state = yield* states.seal(new Uint8Array([1, 2, 3]), call)
 *   const refused = yield* Effect.flip(states.open(state, { ...call, principal: "client-1/bob" }))
 *   return { journal: yield* states.open(state, call), refused: refused.reason }
 * })
 *
 * const { journal, refused } = await Effect.runPromise(program.pipe(Effect.provide(layer)))
 * journal // => new Uint8Array([1, 2, 3])
 * refused // => "foreign"
 * ```
 *
 * @see {@link layerConfig} to read the keys from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never, InvalidOptions> => Layer.effect(RequestState, make(options))

/**
 * The fields of {@link Options}, each read by a `Config`.
 *
 * @category models
 * @since 0.1.0
 */
export type ConfigOptions = {
  readonly [Key in keyof Options]?: Config.Config<Options[Key]> | undefined
}

/**
 * Reads keys from a variable of the form `id:key,id:key`. The first key seals; all keys open. White space around the
 * parts is allowed. Errors never show the value that was read.
 *
 * @category config
 * @since 0.1.0
 */
export const configKeys = (name: string): Config.Config<ReadonlyArray<Key>> =>
  Config.mapEffect(Config.Redacted(name), (text) => {
    const keys = parseKeys(Redacted.value(text))
    // The key ring is also built here, so the error can name the variable that holds the invalid keys.
    const checked = Result.flatMap(keys, (keys) => Result.map(makeKeyRing(stateCrypto(), keys), () => keys))
    return Result.isSuccess(checked) ? Effect.succeed(checked.success) : configError(`${name}: ${checked.failure}`)
  })

/**
 * A Layer like {@link layer}, with options from `Config`.
 *
 * **Details**
 *
 * | option | default |
 * |---|---|
 * | `keys` | `SAMPLING_STATE_KEYS`, required: `id:key,id:key`, as {@link configKeys} reads it |
 * | `ttl` | `SAMPLING_STATE_TTL`, for example `30 minutes`, or 1 hour |
 * | `maxBytes` | 1 MiB |
 *
 * It fails with a `ConfigError`, which never shows a key.
 *
 * **Example** (Reading keys from the environment)
 *
 * ```ts
 * import { RequestState } from "@effect-sampling/core"
 * import { ConfigProvider, Effect, Layer } from "effect"
 *
 * const environment = ConfigProvider.layer(
 *   ConfigProvider.fromUnknown({
 *     SAMPLING_STATE_KEYS: "2026-11:q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=",
 *     SAMPLING_STATE_TTL: "30 minutes"
 *   })
 * )
 * const layer = RequestState.layerConfig().pipe(Layer.provide(environment))
 *
 * const built = await Effect.runPromiseExit(Effect.scoped(Layer.build(layer)))
 * built._tag // => "Success"
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (options: ConfigOptions = {}): Layer.Layer<never, Config.ConfigError> =>
  Layer.effect(
    RequestState,
    Effect.gen(function*() {
      const sealed = { ...(yield* fromConfig(options)), maxBytes: yield* options.maxBytes ?? none }
      return yield* orConfigError(make(sealed))
    })
  )

/**
 * Options for keeping states in a store.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredOptions extends Pick<Options, "keys" | "ttl"> {
  /**
   * Whether a state can be opened only once. Default: false.
   */
  readonly singleUse?: boolean | undefined
  /**
   * The prefix of the keys of all entries. Default: `sampling-state-`.
   */
  readonly prefix?: string | undefined
}

/**
 * Builds a `RequestState` that keeps journals in a `KeyValueStore` of Effect. The client holds a handle of about 130
 * characters, regardless of the size of the journal.
 *
 * **Details**
 *
 * The handle holds a random id, the binding and the expiry, and it is sealed like a state of {@link make}. Entries are
 * encrypted with the same keys and bound to their id, so a reader of the store learns nothing, and entries cannot be
 * exchanged. Every round makes a new entry. A handle whose entry does not exist is rejected as `missing`.
 *
 * With `singleUse`, opening a state replaces its entry by a mark of one byte, and later attempts to open it are
 * rejected as `used`. At most one attempt gets through:
 *
 * - In one process, always: attempts wait for one another, and the first one gets the state.
 * - In several processes, wherever a read sees every write that completed before it: a Redis, PostgreSQL or MySQL
 *   primary, SQLite, a local directory. The guarantee does not hold with reads from replicas, after a failover that
 *   loses writes, or on a network file system that caches. If several processes open a state at the same moment, all of
 *   them may be rejected.
 *
 * This was tested with the memory, file system and SQL (SQLite) stores of Effect, the last two with several processes.
 *
 * **Gotchas**
 *
 * - Opening a single-use state uses it up, even if the round fails afterwards or its answer is lost in transit. The
 *   call then has to be started again. The same holds if the store fails while the state is being opened.
 * - The stores of Effect do not expire entries. An expired entry is removed when its handle comes back. Run {@link
 *   removeExpired} from time to time to remove the others, or let the store do it: a key consists of the prefix, the
 *   expiry in milliseconds since 1970 as 15 digits, and an id.
 * - Anyone who can write to the store can restore an entry that was used.
 *
 * Source: MCP 2026-07-28, multi round-trip requests: single use has to be enforced on the server.
 *
 * @see {@link layerStored}
 * @category constructors
 * @since 0.1.0
 */
export const makeStored = (
  options: StoredOptions
): Effect.Effect<RequestState, InvalidOptions, KeyValueStore.KeyValueStore> =>
  Effect.gen(function*() {
    const stored = {
      sealer: yield* sealerOf(options),
      store: yield* KeyValueStore.KeyValueStore,
      prefix: options.prefix ?? defaultPrefix,
      singleUse: options.singleUse ?? false
    }
    return {
      seal: (journal, binding) => Effect.catchTag(sealStored(stored, journal, binding), "KeyValueStoreError", notKept),
      open: (state, binding) =>
        Effect.catch(
          openStored(stored, state, binding),
          (error): Effect.Effect<never, StateRejected | StateNotKept> =>
            typeof error === "string" ? Effect.fail(rejected(error)) : notKept(error)
        )
    }
  })

/**
 * A Layer that keeps journals in a `KeyValueStore`, as {@link makeStored} does.
 *
 * **Example** (Using every state once)
 *
 * ```ts
 * import { RequestState } from "@effect-sampling/core"
 * import { Effect, Layer, Redacted } from "effect"
 * import { KeyValueStore } from "effect/persistence"
 *
 * const layer = RequestState.layerStored({
 *   keys: [{ id: "2026-11", key: Redacted.make("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=") }],
 *   singleUse: true
 * }).pipe(Layer.provide(KeyValueStore.layerMemory))
 *
 * const call = { principal: undefined, method: "tools/call", name: "plan", arguments: {} }
 *
 * const program = Effect.gen(function*() {
 *   const states = yield* RequestState.RequestState
 *   const state = yield* states.seal(new Uint8Array([1, 2, 3]), call)
 *   const journal = yield* states.open(state, call)
 *   return { journal, again: (yield* Effect.flip(states.open(state, call))).reason }
 * })
 *
 * const { again, journal } = await Effect.runPromise(program.pipe(Effect.provide(layer)))
 * journal // => new Uint8Array([1, 2, 3])
 * again // => "used"
 * ```
 *
 * @see {@link layerStoredConfig} to read the keys from the environment
 * @category layers
 * @since 0.1.0
 */
export const layerStored = (
  options: StoredOptions
): Layer.Layer<never, InvalidOptions, KeyValueStore.KeyValueStore> => Layer.effect(RequestState, makeStored(options))

/**
 * The fields of {@link StoredOptions}, each read by a `Config`.
 *
 * @category models
 * @since 0.1.0
 */
export type StoredConfigOptions = {
  readonly [Key in keyof StoredOptions]?: Config.Config<StoredOptions[Key]> | undefined
}

/**
 * A Layer like {@link layerStored}, with options from `Config`. `keys` and `ttl` have the defaults of {@link
 * layerConfig}; the other options are not read from the environment unless you pass a `Config` for them.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerStoredConfig = (
  options: StoredConfigOptions = {}
): Layer.Layer<never, Config.ConfigError, KeyValueStore.KeyValueStore> =>
  Layer.effect(
    RequestState,
    Effect.gen(function*() {
      const stored = {
        ...(yield* fromConfig(options)),
        singleUse: yield* options.singleUse ?? none,
        prefix: yield* options.prefix ?? none
      }
      return yield* orConfigError(makeStored(stored))
    })
  )

/**
 * Removes the expired entries of {@link layerStored} and returns their number. It lists all keys of the store, so run
 * it rarely.
 *
 * **Example** (Cleaning up every hour)
 *
 * ```ts
 * import { RequestState } from "@effect-sampling/core"
 * import { Effect, Layer, Schedule } from "effect"
 *
 * const cleaning = RequestState.removeExpired().pipe(
 *   Effect.catchTag("StateNotKept", (error) => Effect.logWarning(error.message)),
 *   Effect.repeat(Schedule.spaced("1 hour")),
 *   Effect.forkScoped,
 *   Layer.effectDiscard
 * )
 * ```
 *
 * @category maintenance
 * @since 0.1.0
 */
export const removeExpired = (
  options: Pick<StoredOptions, "prefix"> = {}
): Effect.Effect<number, StateNotKept, KeyValueStore.KeyValueStore> =>
  Effect.flatMap(
    KeyValueStore.KeyValueStore,
    (store) => Effect.catch(removeExpiredOf(store, options.prefix ?? defaultPrefix), notKept)
  )

const defaultPrefix = "sampling-state-"

const fromConfig = Effect.fnUntraced(function*(options: Pick<ConfigOptions, "keys" | "ttl">) {
  return {
    keys: yield* options.keys ?? requiredKeys,
    ttl: yield* options.ttl ?? optionalTtl
  }
})

const none = Config.succeed(undefined)

const requiredKeys = Config.mapEffect(
  Config.option(configKeys("SAMPLING_STATE_KEYS")),
  (keys) => Option.isSome(keys) ? Effect.succeed(keys.value) : missingKeys
)

const optionalTtl = Config.Duration("SAMPLING_STATE_TTL").pipe(
  Config.mapEffect((ttl) => orConfigError(Effect.as(positive("SAMPLING_STATE_TTL", Duration.toMillis(ttl)), ttl))),
  Config.option,
  Config.map(Option.getOrUndefined)
)

const missingKeys = configError(
  "SAMPLING_STATE_KEYS is not set. Set it to the keys of all servers: id:key,id:key (openssl rand -base64 32)."
)

const orConfigError = <A, R>(effect: Effect.Effect<A, InvalidOptions, R>): Effect.Effect<A, Config.ConfigError, R> =>
  Effect.catchTag(effect, "InvalidOptions", ({ message }) => configError(message))

const sealerOf = Effect.fnUntraced(function*(options: Pick<Options, "keys" | "ttl">) {
  const ttl = yield* positive("ttl", Duration.toMillis(Duration.fromInputUnsafe(options.ttl ?? "1 hour")))
  const crypto = stateCrypto()
  const ring = makeKeyRing(crypto, options.keys)
  return Result.isSuccess(ring)
    ? makeSealer(crypto, ring.success, ttl)
    : yield* new InvalidOptions({ message: ring.failure })
})

const positive = (name: string, value: number): Effect.Effect<number, InvalidOptions> =>
  value > 0 ? Effect.succeed(value) : Effect.fail(new InvalidOptions({ message: `${name} has to be greater than 0` }))

const sealed = (sealer: Sealer, maxBytes: number): RequestState => ({
  seal: (journal, binding) => {
    const length = boundLength(sealer, journal.length)
    return length > maxBytes
      ? Effect.fail(tooLarge(length, maxBytes))
      : Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => sealBound(sealer, kinds.journal, sealer.times(now), journal, binding)
      )
  },
  open: (state, binding) =>
    state.length > maxBytes
      ? Effect.fail(rejected("malformed"))
      : openBound(sealer, kinds.journal, state, binding).pipe(
        Effect.flatMap(({ payload, times }) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const problem = sealer.checkTimes(times, now)
            return problem === undefined ? Effect.succeed(payload) : Effect.fail(problem)
          })
        ),
        Effect.mapError(rejected)
      )
})

const rejected = (reason: Rejection): StateRejected => new StateRejected({ reason, message: rejectionMessages[reason] })

/** Logs the store's own error. The client does not see it, because it may hold internals of the server. */
const notKept = (error: KeyValueStore.KeyValueStoreError): Effect.Effect<never, StateNotKept> =>
  Effect.andThen(
    Effect.logError(
      `The store of request states failed: ${error.method}`,
      ...(Predicate.isError(error.cause) ? [error.cause.message] : [])
    ),
    Effect.fail(
      new StateNotKept({
        reason: "store",
        message: "The store that keeps the states of calls failed. Try again later."
      })
    )
  )

const tooLarge = (length: number, maxBytes: number): StateNotKept =>
  withAdvice(
    new StateNotKept({
      reason: "tooLarge",
      message: `The state of this call would take ${length} bytes, and ${maxBytes} are allowed. Ask for less at once.`
    }),
    "Keep it in a KeyValueStore (RequestState.layerStored), raise maxBytes, or return smaller results from Rounds.once."
  )

const processTtl = Duration.toMillis("1 hour")

/** The `RequestState` with the key of this process. It is built when the first state is sealed. */
let ofProcess: RequestState | undefined

const processState: RequestState = {
  seal: (journal, binding) =>
    Effect.suspend(() => {
      if (ofProcess !== undefined) return ofProcess.seal(journal, binding)
      const crypto = stateCrypto()
      ofProcess = sealed(makeSealer(crypto, makeProcessKeyRing(crypto), processTtl), defaultMaxBytes)
      return Effect.andThen(Effect.logWarning(processWarning), ofProcess.seal(journal, binding))
    }),
  open: (state, binding) =>
    Effect.suspend(() => {
      const states = ofProcess ?? sealed(makeSealer(stateCrypto(), emptyKeyRing, processTtl), defaultMaxBytes)
      return states.open(state, binding)
    })
}

const processWarning =
  "Calls that wait for answers from their client are sealed with a key that only this process has: they will be " +
  "rejected after a restart and by other processes. Configure RequestState.layer({ keys }) to avoid that."
