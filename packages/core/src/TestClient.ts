/**
 * A client for tests. It calls a handler as MCP clients do, in rounds or while the call waits, but needs no server and
 * no connection.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Root } from "./Client.ts"
import { ClientConnection } from "./ClientConnection.ts"
import type { ClientRequest } from "./ClientConnection.ts"
import * as RequestState from "./RequestState.ts"
import { Sampler } from "./Sampler.ts"
import type { ReplayMismatch, SamplingError } from "./SamplingError.ts"
import type { SamplingRequest } from "./SamplingRequest.ts"
import * as RoundRunner from "./wire/RoundRunner.ts"

/**
 * A user's response to a question.
 *
 * Source: MCP 2025-11-25, `ElicitResult`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ElicitResult {
  readonly action: "accept" | "decline" | "cancel"
  /**
   * The values that the user filled in, for `accept`.
   */
  readonly content?: Readonly<Record<string, unknown>>
}

/**
 * The abilities of the test client. It declares exactly the capabilities for which an option is given.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * `2026-07-28` for a client that is asked in rounds, `2025-11-25` for one that is asked while the call waits. Default:
   * `2026-07-28`.
   */
  readonly protocolVersion?: "2025-11-25" | "2026-07-28" | undefined
  /**
   * The client's model, for example `TestSampler.scripted([...])`.
   */
  readonly sampler?: Layer.Layer<Sampler> | undefined
  /**
   * The client's user, who answers `Client.elicit`.
   */
  readonly elicit?: ((request: ElicitRequest) => ElicitResult) | undefined
  /**
   * The directories and files that the client works on, which answer `Client.roots`.
   */
  readonly roots?: ReadonlyArray<Root> | undefined
}

/**
 * A question to the user, with the JSON Schema of the expected input.
 *
 * @category models
 * @since 0.1.0
 */
export interface ElicitRequest {
  readonly message: string
  readonly requestedSchema: object
}

/**
 * The result of a call, and how it came about.
 *
 * @category models
 * @since 0.1.0
 */
export interface Called<A> {
  readonly value: A
  /**
   * The number of times that the handler ran: once if the call waits for answers, otherwise one more than the number of
   * rounds with asks.
   */
  readonly runs: number
  /**
   * The requests to the client, in order, in wire form.
   */
  readonly asks: ReadonlyArray<Omit<ClientRequest, "key">>
}

/**
 * Calls a handler and answers its asks until it returns a result. The handler asks the client as it does on a server:
 * through a `ClientSampler.layer`, alone or in a composition, and through `Client`.
 *
 * **Details**
 *
 * Asks and answers are converted to JSON and back. In rounds the state is sealed and opened again, with a key of the
 * test even if another `RequestState` is provided. The handler runs from its start in every round, as with
 * `RoundRunner.run`, which reveals side effects that happen more than once. The asks of a round are answered one after
 * the other.
 *
 * If the client's sampler fails while the call waits, the handler's ask fails. In rounds the whole call fails, because
 * a client whose sampler failed does not call again. To see the asks of a handler that fails, call
 * `Effect.exit(handler)`.
 *
 * **Example** (Testing a payment that must happen once)
 *
 * ```ts
 * import { ClientSampler, Rounds, Sampler, TestClient, TestSampler } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 *
 * let payments = 0
 * const buy = Effect.gen(function*() {
 *   const { text: colour } = yield* Sampler.sample("Which colour?")
 *   yield* Rounds.once("pay", Effect.sync(() => ++payments), { success: Schema.Int })
 *   const { text } = yield* Sampler.sample(`Praise a ${colour} lamp.`)
 *   return text
 * }).pipe(Effect.provide(ClientSampler.layer))
 *
 * const { runs, value } = await Effect.runPromise(
 *   TestClient.call(buy, { sampler: TestSampler.scripted(["red", "What a lamp!"]) })
 * )
 * value // => "What a lamp!"
 * runs // => 3
 * payments // => 1
 * ```
 *
 * @category calling
 * @since 0.1.0
 */
export const call = <A, E, R>(
  handler: Effect.Effect<A, E, R>,
  options: Options = {}
): Effect.Effect<
  Called<A>,
  | E
  | SamplingError
  | ReplayMismatch
  | RequestState.StateRejected
  | RequestState.StateNotKept
  | RoundRunner.InvalidParams,
  R
> =>
  Effect.scopedWith((scope) =>
    Effect.gen(function*() {
      const sampler = options.sampler && Context.get(yield* Layer.buildWithScope(options.sampler, scope), Sampler)
      const connection = yield* connect(options, sampler)
      let runs = 0
      const asks: Array<Omit<ClientRequest, "key">> = []
      const counted = Effect.suspend(() => {
        runs++
        return handler
      })
      const answer = ({ method, params }: Omit<ClientRequest, "key">) =>
        Effect.suspend(() => {
          const request = { method, params: throughJson(params) }
          asks.push(request)
          return Effect.map(respond(request, options, sampler), throughJson)
        })
      const value = connection.protocolVersion === waits
        ? yield* Effect.provideService(counted, ClientConnection, {
          ...connection,
          unreachable: undefined,
          ask: (request, decode) => Effect.flatMap(answer(request), (given) => Effect.fromResult(decode(given)))
        })
        : yield* callInRounds(counted, connection, answer)
      return { value, runs, asks }
    })
  )

const waits = "2025-11-25"

type Described = Pick<ClientConnection, "client" | "protocolVersion" | "capabilities">

const connect = (
  { elicit, protocolVersion = "2026-07-28", roots }: Options,
  sampler: Sampler["Service"] | undefined
): Effect.Effect<Described & { readonly protocolVersion: string }> =>
  Effect.map(
    sampler === undefined
      ? Effect.undefined
      : Effect.map(sampler.capabilities, ({ tools }) => tools ? { tools: {} } : {}),
    (sampling) => ({
      client: { name: "test", version: "1.0.0" },
      protocolVersion,
      capabilities: {
        ...(sampling !== undefined && { sampling }),
        ...(elicit !== undefined && { elicitation: {} }),
        ...(roots !== undefined && { roots: {} })
      }
    })
  )

const respond = (
  { method, params }: Omit<ClientRequest, "key">,
  { elicit, roots }: Options,
  sampler: Sampler["Service"] | undefined
): Effect.Effect<object, SamplingError> => {
  switch (method) {
    case "sampling/createMessage":
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the sampler checks the request, as the sampler of any client does
      return sampler === undefined ? undeclared(method) : sampler.createMessage(params as SamplingRequest)
    case "elicitation/create":
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Client.elicit` makes these params
      return elicit === undefined ? undeclared(method) : Effect.sync(() => elicit(params as ElicitRequest))
    case "roots/list":
      return roots === undefined ? undeclared(method) : Effect.succeed({ roots })
  }
}

const undeclared = (method: string): Effect.Effect<never> =>
  Effect.die(
    new Error(
      `${method}: the handler sent this request, although the test client did not declare the capability for it`
    )
  )

const callInRounds = <A, E, R>(
  handler: Effect.Effect<A, E, R>,
  connection: Described & { readonly protocolVersion: string },
  answer: (request: Omit<ClientRequest, "key">) => Effect.Effect<unknown, SamplingError>
) =>
  Effect.gen(function*() {
    const states = yield* Effect.orDie(RequestState.make({ keys: [key] }))
    let inputResponses: Readonly<Record<string, unknown>> | undefined
    let requestState: string | undefined
    while (true) {
      const call = { ...request, ...connection, inputResponses, requestState }
      const round = yield* Effect.provideService(RoundRunner.run(handler, call), RequestState.RequestState, states)
      if (round._tag === "Complete") return round.value
      const answers: Record<string, unknown> = {}
      for (const [name, ask] of Object.entries(round.inputRequests)) answers[name] = yield* answer(ask)
      inputResponses = answers
      requestState = round.requestState
    }
  })

const request = { method: "tools/call", name: "test", arguments: {}, principal: undefined } as const

/** The states of a test never leave the process, so any key will do. */
const key: RequestState.Key = { id: "test", key: Redacted.make(new Uint8Array(32)) }

const throughJson = <A extends object>(value: A): A => JSON.parse(JSON.stringify(value))
