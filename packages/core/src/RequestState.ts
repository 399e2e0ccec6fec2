/**
 * What carries the journal of a call from one round to the next: the `requestState` that the client holds in between.
 *
 * A state is sealed with AES-256-GCM: the client can neither read nor change it, nor use it for another caller, another
 * request or after its time.
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
import { configError } from "./internal/configError.ts"
import { kinds } from "./internal/sealing/envelope.ts"
import { emptyKeyRing, makeKeyRing, makeProcessKeyRing, parseKeys } from "./internal/sealing/keyRing.ts"
import { rejectionMessages } from "./internal/sealing/messages.ts"
import {
  boundLength,
  makeSealer,
  openBound,
  type Rejection,
  sealBound,
  type Sealer
} from "./internal/sealing/sealer.ts"
import { stateCrypto } from "./internal/sealing/stateCrypto.ts"
import { openStored, removeExpired as removeExpiredOf, sealStored } from "./internal/sealing/stored.ts"

/**
 * What a state is bound to: presented with anything else, it is refused.
 *
 * **Details**
 *
 * The order of keys in `arguments` makes no difference; `undefined` and `""` as principal do.
 *
 * Source: MCP 2026-07-28, multi round-trip requests: a state SHOULD be bound to the principal, a short expiry and the
 * originating request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Binding {
  /**
   * Who calls, where the transport knows it, for example an OAuth client id and subject. Undefined where nobody
   * authenticates.
   */
  readonly principal: string | undefined
  readonly method: string
  /**
   * The name of the tool or prompt, or the URI of the resource.
   */
  readonly name: string
  /**
   * The arguments, as JSON.
   */
  readonly arguments: unknown
}

/**
 * A state came back that this server did not make for this call, or that is not valid any more. Nothing of the handler
 * has run.
 *
 * - `malformed`: it is no state at all, or was cut, extended or changed in its form
 * - `unknownKey`: it names a key that this server does not have
 * - `tampered`: it does not fit its seal
 * - `foreign`: it belongs to another principal or to another request
 * - `expired`: it is older than its time to live
 * - `used`: it may be used once, and was
 * - `missing`: the store does not hold it any more
 *
 * The message may be sent to the client: it holds nothing of the state.
 *
 * @category errors
 * @since 0.1.0
 */
export class StateRejected
  extends Schema.TaggedError<StateRejected>("@effect-sampling/core/RequestState/StateRejected")("StateRejected", {
    reason: Schema.Literals(["malformed", "unknownKey", "tampered", "foreign", "expired", "used", "missing"]),
    message: Schema.String
  })
{}

/**
 * The state could not be made or kept: it is larger than allowed, or its store failed.
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
 * The options cannot work: no keys, a key that is not 32 bytes, an id that is not valid or used twice, a time to live or
 * a limit that is not positive. The message names a key by its place in the list, and never shows it.
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
 * Turns the journal of a call into what the client holds, and back.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestState {
  readonly seal: (journal: Uint8Array, binding: Binding) => Effect.Effect<string, StateNotKept>
  /**
   * Takes any string. The binding has to be the one that the state was sealed with.
   */
  readonly open: (state: string, binding: Binding) => Effect.Effect<Uint8Array, StateRejected | StateNotKept>
}

/**
 * How states are carried. Default: sealed with a key that is made up when the first one is needed, and that the whole
 * process shares.
 *
 * **Gotchas**
 *
 * With the default, a restart or a second process refuses the calls in progress (`unknownKey`); a warning in the log says
 * so once. Provide {@link layer} or {@link layerConfig} in production.
 *
 * @category references
 * @since 0.1.0
 */
export const RequestState = Context.Reference<RequestState>("@effect-sampling/core/RequestState", {
  defaultValue: () => processState
})

/**
 * A key, and the name by which states say that they were sealed with it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Key {
  /**
   * 1 to 32 characters of `A-Z a-z 0-9 . _ -`, for example `2026-11`. It stands in every state, readable for the client.
   */
  readonly id: string
  /**
   * 32 random bytes, or as text their base64, base64url or hex: what `openssl rand -base64 32` prints. A passphrase is
   * refused.
   */
  readonly key: Redacted.Redacted<string | Uint8Array>
}

/**
 * How states are sealed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The first key seals, all of them open. To change keys, put a new one first and keep the old one for as long as its
   * states may live.
   */
  readonly keys: ReadonlyArray<Key>
  /**
   * How long a state is valid. Default: 1 hour, because people approve samples. A shorter one holds for older states,
   * too; a longer one does not.
   */
  readonly ttl?: Duration.Input | undefined
  /**
   * How long a state may be, in bytes. Default: 1 MiB, as servers take requests of some MiB only. A longer one is not
   * made (`tooLarge`) and not read (`malformed`).
   */
  readonly maxBytes?: number | undefined
}

const defaultMaxBytes = 1024 * 1024

/**
 * Seals states with the given keys. Every server that has the keys can go on with a call.
 *
 * **Details**
 *
 * A state is base64url of: the kind and version of the format, the id of the key, when it was made and when it expires, a
 * random nonce of 96 bits, and, encrypted with AES-256-GCM, the SHA-256 of the binding and the journal. All of it is
 * authenticated. Where the platform has synchronous `node:crypto` that is used, and Web Crypto elsewhere; states of one
 * open with the other.
 *
 * States can be presented more than once until they expire.
 *
 * **Gotchas**
 *
 * Change a key before it has sealed 2^32 states: random nonces may repeat after that many (NIST SP 800-38D, 8.3). At a
 * thousand states a second that is 49 days.
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
 * Seals states with the given keys: {@link make} as a Layer.
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
 * The same as {@link Options}, each read by a `Config`.
 *
 * @category models
 * @since 0.1.0
 */
export type ConfigOptions = {
  readonly [Key in keyof Options]?: Config.Config<Options[Key]> | undefined
}

/**
 * Reads keys as `id:key,id:key`: the first one seals, all of them open. White space around the parts is allowed. Errors
 * never show what was read.
 *
 * @category config
 * @since 0.1.0
 */
export const configKeys = (name: string): Config.Config<ReadonlyArray<Key>> =>
  Config.mapEffect(Config.Redacted(name), (text) => {
    const keys = parseKeys(Redacted.value(text))
    // The ring is made here as well, for an error that says which variable is wrong.
    const checked = Result.flatMap(keys, (keys) => Result.map(makeKeyRing(stateCrypto(), keys), () => keys))
    return Result.isSuccess(checked) ? Effect.succeed(checked.success) : configError(`${name}: ${checked.failure}`)
  })

/**
 * {@link layer} with options from `Config`.
 *
 * **Details**
 *
 * | option | default |
 * |---|---|
 * | `keys` | `SAMPLING_STATE_KEYS`, required: `id:key,id:key` as {@link configKeys} reads it |
 * | `ttl` | `SAMPLING_STATE_TTL`, for example `30 minutes`, or 1 hour |
 * | `maxBytes` | 1 MiB |
 *
 * Errors are a `ConfigError` and never show a key.
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
 * How states are kept in a store.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredOptions extends Pick<Options, "keys" | "ttl"> {
  /**
   * Whether a state opens only once. Default: false.
   */
  readonly singleUse?: boolean | undefined
  /**
   * What the keys of entries begin with. Default: `sampling-state-`.
   */
  readonly prefix?: string | undefined
}

/**
 * Keeps journals in a `KeyValueStore` of Effect: the client holds a handle of about 130 characters, whatever the journal
 * takes.
 *
 * **Details**
 *
 * The handle is sealed as the states of {@link make} are: a random id, the binding and the expiry. Entries are encrypted
 * with the same keys and bound to their id, so who reads the store learns nothing, and entries cannot be exchanged. Every
 * round makes an entry of its own. A handle without its entry is refused as `missing`.
 *
 * With `singleUse`, the entry is replaced by a mark of one byte when it is opened, and later attempts are refused as
 * `used`. At most one attempt gets through:
 *
 * - in one process always: attempts wait for one another, and the first one gets the state;
 * - in several processes wherever a read sees every write that was completed before: a Redis, PostgreSQL or MySQL primary,
 *   SQLite, a local directory. Not with reads from replicas, after a failover that loses writes, or on a network file
 *   system that caches. Where attempts come at the same moment in several processes, all of them may be refused.
 *
 * It is checked with the memory, file system and SQL (SQLite) stores of Effect, the second one with several processes.
 *
 * **Gotchas**
 *
 * - A state is used up when it is opened, even if the round fails afterwards, or the answer is lost on its way: the call
 *   has to be started again. So is a state whose store fails in the middle of it.
 * - Stores of Effect do not forget. An expired entry is removed when its handle comes back; run {@link removeExpired} from
 *   time to time, or let the store do it: keys are the prefix, 15 digits of milliseconds since 1970 at which the entry
 *   expires, and an id.
 * - Who can write to the store can put back an entry that was used.
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
 * Keeps journals in a `KeyValueStore`: {@link makeStored} as a Layer.
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
 * The same as {@link StoredOptions}, each read by a `Config`.
 *
 * @category models
 * @since 0.1.0
 */
export type StoredConfigOptions = {
  readonly [Key in keyof StoredOptions]?: Config.Config<StoredOptions[Key]> | undefined
}

/**
 * {@link layerStored} with options from `Config`: `keys` and `ttl` as in {@link layerConfig}, the others are not read
 * from the environment by themselves.
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
 * Removes the entries of {@link layerStored} whose time is over, and gives their number. It lists the keys of the store,
 * so run it seldom.
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
    keys: yield* options.keys ?? configKeys("SAMPLING_STATE_KEYS"),
    ttl: yield* options.ttl ?? Config.map(Config.option(Config.Duration("SAMPLING_STATE_TTL")), Option.getOrUndefined)
  }
})

const none = Config.succeed(undefined)

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
  value > 0 ? Effect.succeed(value) : Effect.fail(new InvalidOptions({ message: `${name} has to be more than 0` }))

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
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            sealer.isExpired(times, now) ? Effect.fail("expired" as const) : Effect.succeed(payload))
        ),
        Effect.mapError(rejected)
      )
})

const rejected = (reason: Rejection): StateRejected => new StateRejected({ reason, message: rejectionMessages[reason] })

/** What the store says goes to the log, and not to the client. */
const notKept = (error: KeyValueStore.KeyValueStoreError): Effect.Effect<never, StateNotKept> =>
  Effect.andThen(
    Effect.logError(
      `The store of request states failed: ${error.method}`,
      ...(Predicate.isError(error.cause) ? [error.cause.message] : [])
    ),
    Effect.fail(
      new StateNotKept({
        reason: "store",
        message: "The store that keeps the states of calls failed. The log of the server says why. Try again later."
      })
    )
  )

const tooLarge = (length: number, maxBytes: number): StateNotKept =>
  new StateNotKept({
    reason: "tooLarge",
    message:
      `The state of this call would take ${length} bytes, and ${maxBytes} are allowed. Keep it in a KeyValueStore ` +
      "(RequestState.layerStored), or let the steps of Rounds.once give less."
  })

const processTtl = Duration.toMillis("1 hour")

/** With the key of this process, once a state was sealed. */
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
  "Calls that wait for answers of their client are sealed with a key of this process: after a restart, " +
  "or on another process, they are refused. Configure RequestState.layer({ keys }) for more than one process."
