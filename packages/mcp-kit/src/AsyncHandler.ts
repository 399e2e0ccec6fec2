/**
 * Handlers that are async functions: for authors of servers who do not write Effect.
 *
 * @since 0.1.0
 */
import * as Client from "@effect-sampling/core/Client"
import type * as Sampler from "@effect-sampling/core/Sampler"
import type * as SamplingPrompt from "@effect-sampling/core/SamplingPrompt"
import type * as ToolLoop from "@effect-sampling/core/ToolLoop"
import { loggable } from "@effect-sampling/core/wire/Text"
import type * as Tool from "effect/ai/Tool"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "effect/StandardSchema"
import type { Handlers, McpServer, RequestHandler, ToolConfig } from "./Handler.ts"
import { fromAsync } from "./internal/async/AsyncScope.ts"
import { makeContext } from "./internal/async/makeContext.ts"
import { logToStderr } from "./internal/logToStderr.ts"
import type { SdkTypes } from "./Sdk.ts"

/**
 * A schema of a library that implements Standard Schema and Standard JSON Schema, for example zod since 4.2.
 *
 * Source: https://standardschema.dev, Standard Schema v1 and Standard JSON Schema v1.
 *
 * @category models
 * @since 0.1.0
 */
export interface StandardSchema<Out = unknown> {
  readonly "~standard": StandardSchemaV1.Props<unknown, Out> & StandardJSONSchemaV1.Props<unknown, Out>
}

/**
 * A schema that an async handler may use: a Schema of Effect without services, or one of another library.
 *
 * @category models
 * @since 0.1.0
 */
export type AnySchema = (Schema.Constraint & { readonly DecodingServices: never }) | StandardSchema

/**
 * The type that a schema decodes to.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Output<S extends AnySchema> = S extends Schema.Constraint ? S["Type"]
  : S extends StandardSchema<infer Out> ? Out
  : never

/**
 * The tools that the model may call in a sample of an async handler. A toolkit comes with its handlers, or as an effect
 * that returns it with its handlers; those may sample.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolOptions<Tools extends Record<string, Tool.Any>> = ToolLoop.Options<
  Tools,
  unknown,
  Sampler.Sampler,
  unknown,
  Sampler.Sampler
>

/**
 * What an async handler receives beside its input. Its functions may be destructured. Their promises reject with the
 * typed errors of core, which have a `_tag` and a `message`.
 *
 * **Details**
 *
 * In MCP 2026-07-28 the function runs again from its first line in every round of the call. Answers of earlier rounds
 * are returned at once. A promise whose answer comes in a later round never settles in this one: neither `catch` nor
 * `finally` runs, and the function ends where it waits. Everything outside of `once` runs in every round.
 *
 * @category models
 * @since 0.1.0
 */
export interface SamplingContext {
  /**
   * Asks the source that the Layer of the server provides for one completion. With a `toolkit` that comes with its
   * handlers, the model may call its tools until it answers.
   */
  readonly sample: {
    (prompt: SamplingPrompt.Input, options?: Sampler.SampleOptions & { readonly toolkit?: never }): Promise<
      Sampler.Sample
    >
    <Tools extends Record<string, Tool.Any>>(
      prompt: SamplingPrompt.Input,
      options: Sampler.SampleOptions & ToolOptions<Tools>
    ): Promise<Sampler.Sample>
  }
  /**
   * Asks for a value of a schema. An answer that does not fit is sent back with its problem, at most `maxRepairs` times.
   * With a `toolkit` that comes with its handlers, the model may call its tools on the way.
   */
  readonly sampleObject: {
    <S extends AnySchema>(
      schema: S,
      prompt: SamplingPrompt.Input,
      options?: Sampler.SampleOptions & Sampler.ObjectOptions & { readonly toolkit?: never }
    ): Promise<Sampler.SampledObject<Output<S>>>
    <S extends AnySchema, Tools extends Record<string, Tool.Any>>(
      schema: S,
      prompt: SamplingPrompt.Input,
      options: Sampler.SampleOptions & Sampler.ObjectOptions & Omit<ToolOptions<Tools>, "onTurn" | "toolChoice">
    ): Promise<Sampler.SampledObject<Output<S>>>
  }
  /**
   * Asks the client's user to fill in the fields of an object schema: strings, numbers, booleans, enumerations, and
   * lists of enumerated values.
   */
  readonly elicit: <S extends AnySchema>(
    schema: S,
    message: string,
    options?: Client.AskOptions
  ) => Promise<Output<S>>
  /**
   * Asks the client for the roots that it works on.
   */
  readonly roots: (options?: Client.AskOptions) => Promise<ReadonlyArray<Client.Root>>
  /**
   * Runs a function at most once per call, however many rounds the call takes. Later rounds return its recorded result,
   * or throw its recorded error: an `Error` with the same `name`, `message` and `code`, in the first round as well. The
   * result must be JSON (objects, arrays, strings, finite numbers, booleans and null) or nothing. Wrap what must not
   * happen twice (a payment, a mail), and what may differ between rounds and decides what is asked (`Date.now()`, a
   * query). Functions that run at the same time need different names.
   */
  readonly once: <A>(name: string, f: () => A | PromiseLike<A>) => Promise<A>
  /**
   * Aborted when the client cancels the call or leaves. It is not aborted at the end of a round.
   */
  readonly signal: AbortSignal
}

/**
 * The functions that register async handlers on one SDK's server, and the end of what they use.
 *
 * @category models
 * @since 0.1.0
 */
export interface Registrations<T extends SdkTypes> extends AsyncDisposable {
  readonly registerTool: (
    server: McpServer<T>,
    name: string,
    config: ToolConfig,
    handler: AsyncRequestHandler<T, unknown>
  ) => unknown
  readonly registerPrompt: (
    server: McpServer<T>,
    name: string,
    config: object,
    handler: AsyncRequestHandler<T, string | T["PromptResult"]>
  ) => unknown
  readonly registerResource: (
    server: McpServer<T>,
    name: string,
    uriOrTemplate: unknown,
    config: object,
    handler: AsyncRequestHandler<T, string | T["ResourceResult"]>
  ) => unknown
  readonly dispose: () => Promise<void>
}

/**
 * An async function that answers a request: from the decoded input, the functions that sample and ask, and the SDK's
 * context of the request.
 *
 * @category models
 * @since 0.1.0
 */
export type AsyncRequestHandler<T extends SdkTypes, Result> = Handler<unknown, Result, T["Request"]>

/**
 * An async function that answers a request, on an SDK that describes requests by `Request`.
 *
 * @category models
 * @since 0.1.0
 */
export type Handler<Input, Result, Request> = (
  input: Input,
  context: SamplingContext,
  request: Request
) => Awaitable<Result>

/**
 * A value, or a promise of it.
 *
 * @category models
 * @since 0.1.0
 */
export type Awaitable<A> = A | PromiseLike<A>

/**
 * Builds the functions that register async handlers on one SDK. The adapter of the SDK documents them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make =
  <T extends SdkTypes>(handlers: Handlers<T>) =>
  <E>(sampler: Layer.Layer<Sampler.Sampler, E>): Promise<Registrations<T>> => {
    const runtime = ManagedRuntime.make(sampler)
    // A Layer that cannot be built rejects here, and not in the first call.
    return runtime.runPromise(logToStderr(Effect.succeed({
      registerTool: (server, name, config, handler) =>
        runtime.runSync(handlers.registerTool(server, name, config, toEffect<T, unknown>(handler))),
      registerPrompt: (server, name, config, handler) =>
        runtime.runSync(
          handlers.registerPrompt(server, name, config, toEffect<T, string | T["PromptResult"]>(handler))
        ),
      registerResource: (server, name, uriOrTemplate, config, handler) =>
        runtime.runSync(
          handlers.registerResource(
            server,
            name,
            uriOrTemplate,
            config,
            toEffect<T, string | T["ResourceResult"]>(handler)
          )
        ),
      dispose: runtime.dispose,
      [Symbol.asyncDispose]: runtime.dispose
    })))
  }

const toEffect = <T extends SdkTypes, Result>(
  handler: AsyncRequestHandler<T, Result>
): RequestHandler<T, Result, unknown, Sampler.Sampler> =>
(input, request) =>
  Effect.tapError(
    fromAsync((scope) => handler(input, makeContext(scope), request)),
    // The client receives the message of what the function throws, as from the SDK. A bug may be among it.
    (error) => isExpected(error) ? Effect.void : Effect.logWarning("An async handler threw", toLog(error))
  )

const toLog = (error: unknown): unknown => {
  const shown = loggable(Cause.fail(error))
  return typeof shown === "string" ? shown : error
}

const isExpected = Schema.is(Client.ClientAskError)
