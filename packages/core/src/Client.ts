/**
 * Requests that a handler may send to its client besides sampling: for input from the user, and for the roots of the
 * workspace.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ClientRequest } from "./ClientConnection.ts"
import { ClientConnection, describe } from "./ClientConnection.ts"
import { decodeForeign } from "./internal/absentNulls.ts"
import { adviceOf, withAdvice } from "./internal/advice.ts"
import { ElicitResult, ListRootsResult } from "./internal/clientResults.ts"
import { compiled } from "./internal/compiled.ts"
import { formatIssue } from "./internal/issues.ts"
import { makeForm } from "./internal/objects/elicitationForm.ts"
import { decodeJson } from "./internal/objects/jsonForm.ts"
import { quote } from "./internal/quote.ts"
import { checkClient } from "./internal/request/wireRequest.ts"
import { wellFormed } from "./internal/wellFormed.ts"
import { Sampler } from "./Sampler.ts"
import type { SamplingRequirement } from "./Sampler.ts"
import { InvalidRequest, InvalidResponse, SamplingError } from "./SamplingError.ts"
import type { SamplingUnsupported } from "./SamplingError.ts"
import { AskKey } from "./SamplingRequest.ts"

/**
 * The client does not support this request. `missing` names what it lacks:
 *
 * - `client`: no client is connected to this fiber
 * - `backChannel`: the client cannot be reached while it waits for this call
 * - `elicitation`, `roots`: a capability that the client did not declare, or for which it has no handler
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientUnsupported
  extends Schema.TaggedError<ClientUnsupported>("@effect-sampling/core/Client/ClientUnsupported")(
    "ClientUnsupported",
    { missing: Schema.Literals(["client", "backChannel", "elicitation", "roots"]), message: Schema.String }
  )
{}

/**
 * The user declined to answer.
 *
 * Source: MCP 2025-11-25, elicitation, "Response Actions".
 *
 * @category errors
 * @since 0.1.0
 */
export class ElicitationDeclined
  extends Schema.TaggedError<ElicitationDeclined>("@effect-sampling/core/Client/ElicitationDeclined")(
    "ElicitationDeclined",
    { message: Schema.String }
  )
{}

/**
 * The user closed the question without answering it.
 *
 * Source: MCP 2025-11-25, elicitation, "Response Actions".
 *
 * @category errors
 * @since 0.1.0
 */
export class ElicitationCancelled
  extends Schema.TaggedError<ElicitationCancelled>("@effect-sampling/core/Client/ElicitationCancelled")(
    "ElicitationCancelled",
    { message: Schema.String }
  )
{}

/**
 * The user, or a policy of the client, does not let the server know the roots.
 *
 * @category errors
 * @since 0.1.0
 */
export class RootsDeclined extends Schema.TaggedError<RootsDeclined>("@effect-sampling/core/Client/RootsDeclined")(
  "RootsDeclined",
  { message: Schema.String }
) {}

/**
 * The client did not answer in time. `afterMillis` is the time limit that expired, in milliseconds.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientTimeout extends Schema.TaggedError<ClientTimeout>("@effect-sampling/core/Client/ClientTimeout")(
  "ClientTimeout",
  { afterMillis: Schema.Finite, message: Schema.String }
) {}

/**
 * The Schema of all errors of this module, and of those of sampling. Use it as the `failure` of a tool.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ClientAskError = Schema.Union([
  ClientUnsupported,
  ElicitationDeclined,
  ElicitationCancelled,
  RootsDeclined,
  ClientTimeout,
  ...SamplingError.members
])

/**
 * @category models
 * @since 0.1.0
 */
export type ClientAskError = typeof ClientAskError.Type

/**
 * A directory or file that the client works on.
 *
 * Source: MCP 2025-11-25, `Root`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Root {
  /**
   * A `file://` URI.
   */
  readonly uri: string
  readonly name?: string
}

/**
 * Options of {@link elicit} and {@link roots}.
 *
 * @category models
 * @since 0.1.0
 */
export interface AskOptions {
  /**
   * A name for this ask, 1 to 100 characters without `#`. Where the client is asked in rounds, it is the ask's key on
   * the wire. Fibers that run at the same time must not use one key for different asks: the call ends with
   * `ReplayMismatch`. Default: derived from the content.
   */
  readonly key?: string | undefined
}

/**
 * Asks the client's user to fill in the fields of a `Schema.Struct`: strings, numbers, booleans, literals, and arrays
 * of literals. A struct without fields is a mere confirmation.
 *
 * **Details**
 *
 * The schema decodes the user's input. Input that does not fit fails with `InvalidResponse`. A field that a form cannot
 * have fails with `InvalidRequest`, which names it.
 *
 * The form shows `title`, `description` and `default` of each field, its limits, its `pattern` and its `format` (email,
 * uri, date, date-time), and the `title` of each literal in a union. A field that takes null may be left out.
 *
 * Source: MCP 2025-11-25, elicitation (form mode). Never ask for passwords or keys this way.
 *
 * **Example** (Asking for a name)
 *
 * ```ts
 * import { Client } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 *
 * const greet = Client.elicit(Schema.Struct({ name: Schema.String }), "What is your name?").pipe(
 *   Effect.map(({ name }) => `Hello, ${name}!`),
 *   Effect.catchTag("ElicitationDeclined", () => Effect.succeed("Hello, stranger!"))
 * )
 *
 * const error = await Effect.runPromise(Effect.flip(greet))
 * error._tag // => "ClientUnsupported"
 * ```
 *
 * @category asking
 * @since 0.1.0
 */
export const elicit = <S extends Schema.Constraint>(
  schema: S,
  message: string,
  options: AskOptions = {}
): Effect.Effect<S["Type"], ClientAskError, S["DecodingServices"]> =>
  Effect.gen(function*() {
    const connection = yield* connectionWith("elicitation")
    const form = yield* Effect.fromResult(
      Result.mapError(makeForm(schema, connection.protocolVersion), invalidElicitation)
    )
    const result = yield* ask(connection, decodeElicitResult, {
      method: "elicitation/create",
      params: wellFormed({ message, requestedSchema: form.requestedSchema }),
      ...withKey(options)
    })
    const who = describe(connection)
    if (result.action === "decline") {
      return yield* new ElicitationDeclined({ message: `The user of ${who} declined to answer.` })
    }
    if (result.action === "cancel") {
      return yield* new ElicitationCancelled({ message: `The user of ${who} closed the question without an answer.` })
    }
    return yield* Effect.mapError(
      // A client may leave out the content of a form that requires nothing, such as a mere confirmation.
      decodeJson(schema)(form.toJson(result.content ?? {})),
      ({ issue }) =>
        new InvalidResponse({
          message: `The input that ${who} sent does not fit the requested schema: ${formatIssue(issue)}.`
        })
    )
  })

/**
 * Asks the client for the roots that it works on.
 *
 * Source: MCP 2025-11-25, roots. Deprecated in MCP 2026-07-28, which still carries it.
 *
 * @category asking
 * @since 0.1.0
 */
export const roots = (options: AskOptions = {}): Effect.Effect<ReadonlyArray<Root>, ClientAskError> =>
  Effect.gen(function*() {
    const connection = yield* connectionWith("roots")
    const result = yield* ask(connection, decodeListRootsResult, {
      method: "roots/list",
      params: {},
      ...withKey(options)
    })
    return result.roots
  })

/**
 * What a handler may require before it runs.
 *
 * - `sampling`, `sampling.tools`: somebody can answer requests for completions, or those that offer tools. The `Sampler`
 *   decides, so a provider behind the client counts. Without a `Sampler` the client's declaration decides.
 * - `elicitation`, `roots`: the client declared the capability, and can be asked now.
 *
 * @category models
 * @since 0.1.0
 */
export type Requirement = SamplingRequirement | "elicitation" | "roots"

/**
 * Fails if a requirement is not met. Put it first in a handler that must not start what it cannot finish: otherwise a
 * user fills in a form, and only then does the handler notice that it cannot sample.
 *
 * **Example** (Asking nothing where nobody can sample)
 *
 * ```ts
 * import { Client, Sampler } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   yield* Client.check(["sampling", "elicitation"])
 *   const { city } = yield* Client.elicit(Schema.Struct({ city: Schema.String }), "Which city?")
 *   return yield* Sampler.sample(`Describe ${city}.`)
 * })
 *
 * const error = await Effect.runPromise(Effect.flip(Client.check(["sampling", "elicitation"])))
 * error._tag // => "SamplingUnsupported"
 * ```
 *
 * @see {@link Requires} for tools, which adapters check
 * @category requirements
 * @since 0.1.0
 */
export const check = (
  requirements: ReadonlyArray<Requirement>
): Effect.Effect<void, SamplingUnsupported | ClientUnsupported> =>
  Effect.forEach(requirements, checkOne, { discard: true })

/**
 * An annotation of a tool: what it requires. Adapters check it before the handler runs. Default: nothing.
 *
 * **Details**
 *
 * The adapter asks the `Sampler` that the handler's Layer captured, or else the one of the server. A handler that provides
 * a `Sampler` to its own effects, or comes in a toolkit with its handlers (`Toolkit.WithHandler`), hides its `Sampler` from
 * the adapter: let it call {@link check} instead.
 *
 * **Example** (A tool that needs its client's user and a model)
 *
 * ```ts
 * import { Client } from "@effect-sampling/core"
 * import { Schema } from "effect"
 * import { Tool } from "effect/ai"
 *
 * const Plan = Tool.make("plan_trip", { success: Schema.String }).annotate(Client.Requires, ["sampling", "elicitation"])
 * Plan.name // => "plan_trip"
 * ```
 *
 * @category requirements
 * @since 0.1.0
 */
export const Requires = Context.Reference<ReadonlyArray<Requirement>>("@effect-sampling/core/Client/Requires", {
  defaultValue: () => []
})

/**
 * What a tool call of MCP 2026-07-28 ends with if its client did not declare a capability that the handler needs, and
 * the handler does not catch the error. It is an annotation of a tool, or a setting of the server, which a tool's
 * annotation overrides.
 *
 * - `protocolError`, the default: JSON-RPC error -32021, which names the capability. The specification asks for it.
 *   Several clients throw it, so the model of the host reads nothing.
 * - `toolExecutionError`: a result with `isError` and a text that the model reads, as up to MCP 2025-11-25. Tools of
 *   `Handler` and `AsyncHandler` always end with such a result, because the official SDKs make one of every error.
 *
 * Source: MCP 2026-07-28, "Error Codes"; tools, "Error Handling".
 *
 * **Example** (A server whose hosts read what is missing)
 *
 * ```ts
 * import { Client } from "@effect-sampling/core"
 * import { Layer } from "effect"
 *
 * const setting = Layer.succeed(Client.MissingCapabilityAs, "toolExecutionError")
 * Layer.isLayer(setting) // => true
 * ```
 *
 * @category requirements
 * @since 0.1.0
 */
export const MissingCapabilityAs = Context.Reference<"protocolError" | "toolExecutionError">(
  "@effect-sampling/core/Client/MissingCapabilityAs",
  { defaultValue: () => "protocolError" }
)

const checkOne = (requirement: Requirement): Effect.Effect<unknown, SamplingUnsupported | ClientUnsupported> => {
  switch (requirement) {
    case "sampling":
    case "sampling.tools":
      return checkSampling(requirement)
    case "elicitation":
    case "roots":
      return connectionWith(requirement)
    default:
      // Authors without types write other names.
      return Effect.die(new TypeError(`${quote(String(requirement))} is not a valid requirement. ${validRequirements}`))
  }
}

const validRequirements = "Use \"sampling\", \"sampling.tools\", \"elicitation\" or \"roots\"."

const checkSampling = (requirement: SamplingRequirement): Effect.Effect<void, SamplingUnsupported> =>
  Effect.withFiber((fiber) => {
    const sampler = Context.getOrUndefined(fiber.context, Sampler)
    return sampler === undefined
      ? checkClient(fiber.getRef(ClientConnection), requirement)
      : sampler.check(requirement)
  })

const withKey = ({ key }: AskOptions) => key !== undefined && { key }

const decodeElicitResult = decodeForeign(compiled(ElicitResult))
const decodeListRootsResult = decodeForeign(compiled(ListRootsResult))

const ask = <A>(
  connection: ClientConnection,
  decode: (answer: unknown) => Result.Result<A, Schema.SchemaError>,
  request: ClientRequest & { readonly method: keyof typeof names }
): Effect.Effect<A, ClientAskError> =>
  request.key !== undefined && !isAskKey(request.key)
    ? Effect.fail(invalid(request.method, "key: Expected 1 to 100 characters without #"))
    : Effect.mapError(
      connection.ask(request, (answer) =>
        Result.mapError(
          decode(answer),
          ({ issue }) =>
            withAdvice(
              new InvalidResponse({
                message: `The answer of ${describe(connection)} is not a valid result of ${request.method}: ${
                  formatIssue(issue)
                }.`
              }),
              "Fix the client's handler for this request."
            )
        )),
      (error) => toOwn(error, request.method)
    )

const names = { "elicitation/create": "elicitation", "roots/list": "roots" } as const

/** Connections fail with the errors of sampling. This module has its own for what is not about sampling. */
const toOwn = (error: SamplingError, method: keyof typeof names): ClientAskError => {
  const { message } = error
  const advice = adviceOf(error)
  const own = error._tag === "SamplingUnsupported"
    ? new ClientUnsupported({
      missing: error.missing === "client" || error.missing === "backChannel" ? error.missing : names[method],
      message
    })
    : error._tag === "SamplingTimeout"
    ? new ClientTimeout({ afterMillis: error.afterMillis, message })
    : error._tag !== "SamplingRejected"
    ? error
    : method === "elicitation/create"
    ? new ElicitationDeclined({ message })
    : new RootsDeclined({ message })
  return advice === undefined ? own : withAdvice(own, advice)
}

const invalid = (method: keyof typeof names, problems: string): InvalidRequest =>
  new InvalidRequest({ message: `The ${names[method]} request is invalid and was not sent: ${problems}` })

const invalidElicitation = (problems: string): InvalidRequest => invalid("elicitation/create", problems)

const isAskKey = Schema.is(AskKey)

const connectionWith = (capability: "elicitation" | "roots"): Effect.Effect<ClientConnection, ClientUnsupported> =>
  Effect.flatMap(ClientConnection, (connection) => {
    if (connection === undefined) {
      return Effect.fail(
        withAdvice(
          new ClientUnsupported({
            missing: "client",
            message: `Cannot ask for ${capability}: no client is connected here.`
          }),
          "Run this inside a tool, prompt or resource handler of an MCP server adapter."
        )
      )
    }
    const who = describe(connection)
    if (connection.unreachable !== undefined) {
      return Effect.fail(
        withAdvice(
          new ClientUnsupported({ missing: "backChannel", message: `Cannot ask ${who}: ${connection.unreachable}` }),
          connection.remedy ?? "Let the handler catch ClientUnsupported."
        )
      )
    }
    const missing = missingOf(connection, capability)
    return missing === undefined
      ? Effect.succeed(connection)
      : Effect.fail(
        new ClientUnsupported({
          missing: capability,
          message: `Cannot ask ${who}: it did not declare the capability "${missing}". Use a client that does.`
        })
      )
  })

const missingOf = (
  { capabilities: { elicitation, roots } }: ClientConnection,
  capability: "elicitation" | "roots"
): string | undefined => {
  if (capability === "roots") return Predicate.isNullish(roots) ? capability : undefined
  if (Predicate.isNullish(elicitation)) return capability
  // MCP 2025-11-25, elicitation, "Capabilities": an empty object declares support for forms.
  return Predicate.isNullish(elicitation.form) && Predicate.isNotNullish(elicitation.url)
    ? "elicitation.form"
    : undefined
}
