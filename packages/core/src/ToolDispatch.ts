/**
 * The direct way to call the tools of an `effect/ai` `Toolkit`. The MCP adapters, which serve tools to clients, and the
 * loop in which a model calls tools share it.
 *
 * It behaves like `Toolkit.handle` on JSON, but needs no queue, stream or fiber for each call.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import type * as Prompt from "effect/ai/Prompt"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as Stream from "effect/Stream"
import { findHandler, Provided } from "./internal/capturedServices.ts"
import { decodeJson, encodeJson, fromJson, toJson } from "./internal/objects/jsonForm.ts"
import * as Advice from "./wire/Advice.ts"

/**
 * The outcome of a call.
 *
 * `isFailure` is true only for tools with `failureMode: "return"`; `failureOrigin` then says which phase failed.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolOutcome {
  readonly result: unknown
  readonly encodedResult: unknown
  readonly isFailure: boolean
  readonly failureOrigin?: Tool.FailureOrigin
  readonly modelOutput?: ReadonlyArray<Prompt.ToolModelOutputPart>
}

/**
 * Options of a call.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallOptions {
  /**
   * The id of the call, if the protocol has one. The handler finds it in its context. Default: none.
   */
  readonly toolCallId?: string | undefined
  /**
   * Receives the handler's preliminary results. Default: they are dropped.
   */
  readonly onPreliminary?: ((encodedResult: unknown) => Effect.Effect<void>) | undefined
  /**
   * How strictly parameters are decoded. Default: excess properties are ignored.
   */
  readonly parse?: SchemaAST.ParseOptions | undefined
}

/**
 * A toolkit in one of the forms in which `effect/ai` passes toolkits around: a `Toolkit`, whose handlers come from
 * Layers; a toolkit with its handlers (`Toolkit.WithHandler`, the value of `yield* toolkit`); or any other effect that
 * returns one.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolkitInput<Tools extends Record<string, Tool.Any>, E = never, R = never> =
  | Toolkit.WithHandler<Tools>
  // A `Toolkit` is such an effect: its requirements are the handlers.
  | Effect.Effect<Toolkit.WithHandler<Tools>, E, R>

/**
 * The tools of a toolkit with their handlers, ready to be called by name.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolDispatch<Tools extends Record<string, Tool.Any>> {
  readonly tools: Tools
  /**
   * Decodes the parameters, runs the handler and encodes its result.
   *
   * **Details**
   *
   * Parameters and results are JSON, in the form that the JSON Schemas of the tool describe: `Schema.toCodecJson`
   * decodes and encodes them. `Toolkit.handle` takes and returns the forms that the Schemas themselves encode to.
   *
   * As in `Toolkit.handle`, a tool with `failureMode: "error"` (the default) fails with its error, annotated with its
   * `Toolkit.FailureOrigin`. A tool with `failureMode: "return"` returns a {@link ToolOutcome} whose `isFailure` is
   * true. The call fails with an `AiError` for an unknown tool and for a result that cannot be encoded. Defects and
   * interruption pass through.
   */
  readonly call: (
    name: string,
    parameters: unknown,
    options?: CallOptions
  ) => Effect.Effect<
    ToolOutcome,
    Tool.HandlerError<Tools[keyof Tools]> | AiError.AiError,
    Tool.HandlerServices<Tools[keyof Tools]>
  >
}

/**
 * Builds a dispatch. It prepares the schemas, and looks up the handlers of a `Toolkit` in the context once. The calls of
 * a toolkit that comes with its handlers go through `handle`, which costs a queue, a stream and a fiber for each.
 *
 * **Example** (Calling a tool by name)
 *
 * ```ts
 * import { ToolDispatch } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 * import { Tool, Toolkit } from "effect/ai"
 *
 * const Double = Tool.make("double", { parameters: Schema.Struct({ n: Schema.Number }), success: Schema.Number })
 * const Tools = Toolkit.make(Double)
 *
 * const program = Effect.gen(function*() {
 *   const dispatch = yield* ToolDispatch.make(Tools)
 *   return yield* dispatch.call("double", { n: 21 })
 * }).pipe(Effect.provide(Tools.toLayer({ double: ({ n }) => Effect.succeed(n * 2) })))
 *
 * const outcome = await Effect.runPromise(program)
 * outcome.encodedResult // => 42
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Tools extends Record<string, Tool.Any>, E = never, R = never>(
  toolkit: ToolkitInput<Tools, E, R>
): Effect.Effect<ToolDispatch<Tools>, E, R> =>
  "handle" in toolkit
    ? Effect.succeed(withHandlers(toolkit))
    : isToolkit<Tools>(toolkit)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the requirements of a `Toolkit` are its handlers, which are all that this effect needs
    ? withContext(toolkit) as Effect.Effect<ToolDispatch<Tools>, never, R>
    : Effect.map(toolkit, withHandlers)

const isToolkit = <Tools extends Record<string, Tool.Any>>(toolkit: object): toolkit is Toolkit.Toolkit<Tools> =>
  "tools" in toolkit

const withContext = <Tools extends Record<string, Tool.Any>>(
  toolkit: Toolkit.Toolkit<Tools>
): Effect.Effect<ToolDispatch<Tools>, never, Tool.HandlersFor<Tools>> =>
  Effect.map(Effect.context<Tool.HandlersFor<Tools>>(), (context) => {
    return toDispatch(toolkit.tools, (tool) => {
      const handler = findHandler(context, tool)
      return handler === undefined ? undefined : prepareCall(tool, handler)
    })
  })

const withHandlers = <Tools extends Record<string, Tool.Any>>(
  toolkit: Toolkit.WithHandler<Tools>
): ToolDispatch<Tools> => toDispatch(toolkit.tools, (tool) => prepareHandle(tool, toolkit.handle))

const toDispatch = <Tools extends Record<string, Tool.Any>>(
  tools: Tools,
  prepare: (tool: Tool.Any) => Call | undefined
): ToolDispatch<Tools> => {
  const calls = new Map<string, Call>()
  for (const tool of Object.values<Tool.Any>(tools)) {
    const prepared = prepare(tool)
    if (prepared !== undefined) calls.set(tool.name, prepared)
  }
  const call = (name: string, parameters: unknown, options: CallOptions = {}) =>
    calls.get(name)?.(parameters, options) ?? Effect.fail(unknownTool(name, [...calls.keys()]))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Call` erases the errors and services of the tools, which are exactly those that the interface lists
  return { tools, call } as ToolDispatch<Tools>
}

type Call = (parameters: unknown, options: CallOptions) => Effect.Effect<ToolOutcome, unknown>

/**
 * Prepares a tool whose toolkit runs it. `handle` decodes parameters from the form that their Schema itself encodes to,
 * and encodes results to that form, so both are converted on the way.
 */
const prepareHandle = <Tools extends Record<string, Tool.Any>>(
  tool: Tool.Any,
  handle: Toolkit.WithHandler<Tools>["handle"]
): Call => {
  const method = `${tool.name}.handle`
  const toOwn = parametersWith(tool, fromJson)
  const encode = makeEncode(tool, method, toJson)
  const fail = makeFail(tool, makeEncode(tool, method, encodeJson))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `handle` decodes the parameters itself, and `Call` erases its errors and services
  const run = handle as unknown as (
    ...input: Parameters<typeof handle>
  ) => Effect.Effect<Stream.Stream<Tool.HandlerResult<Tool.Any>, unknown>, unknown>
  return (parameters, { onPreliminary = dropPreliminary, parse, toolCallId }) =>
    Effect.matchEffect(toOwn(parameters, parse), {
      onFailure: (error) => fail(invalidParameters(tool.name, method, error), "parameters"),
      onSuccess: (own) =>
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
        Effect.flatMap(run(tool.name, own as never, toolCallId, parse), (results) =>
          Stream.runFoldEffect(results, noOutcome, (_, { preliminary, ...outcome }) =>
            Effect.flatMap(encode(outcome.encodedResult, outcome.isFailure), (encodedResult) =>
              preliminary
                ? Effect.as(onPreliminary(encodedResult), noOutcome())
                : Effect.as(
                  outcome.isFailure ? Advice.log(outcome.result, `The tool "${tool.name}"`) : Effect.void,
                  toOutcome({ ...outcome, encodedResult })
                ))))
    })
}

const prepareCall = (tool: Tool.Any, handler: Tool.Handler<string>): Call => {
  const method = `${tool.name}.handle`
  const decodeParameters = parametersWith(tool, decodeJson)
  const encode = makeEncode(tool, method, encodeJson)
  const fail = makeFail(tool, encode)

  const succeed = (result: unknown): Effect.Effect<ToolOutcome, unknown> =>
    Effect.mapEager(encode(result, false), (encodedResult) => ({
      result,
      encodedResult,
      isFailure: false,
      ...(tool.toModelOutput !== undefined && { modelOutput: tool.toModelOutput(result) })
    }))

  const handlers = {
    onFailure: (cause: Cause.Cause<unknown>): Effect.Effect<ToolOutcome, unknown> => {
      const failure = Cause.hasDies(cause) ? undefined : cause.reasons.find(Cause.isFailReason)
      return failure === undefined
        ? Effect.failCause(cause)
        : fail(normalize(tool.name, method, failure.error), originOf(failure.error))
    },
    onSuccess: succeed
  }

  const toContext = ({ onPreliminary, toolCallId }: CallOptions) =>
    toolCallId === undefined && onPreliminary === undefined ? emptyContext : {
      toolCallId,
      preliminary: onPreliminary === undefined
        ? dropPreliminary
        : (result: unknown) => Effect.flatMap(Effect.orDie(encode(result, false)), onPreliminary)
    }

  const withCaptured = provideMissing(handler.context)

  // The captured services are provided around the whole call: a frame inside it would stay on the heap while the
  // handler runs.
  return (parameters, options) =>
    withCaptured(Effect.matchEffect(decodeParameters(parameters, options.parse), {
      onFailure: (error) => fail(invalidParameters(tool.name, method, error), "parameters"),
      onSuccess: (decoded) =>
        Effect.matchCauseEffect(
          handler.handler(decoded, toContext(options)),
          handlers
        )
    }))
}

/** A conversion whose services are erased: they are part of the requirements of `call`. */
type Convert = (value: unknown, options?: SchemaAST.ParseOptions) => Effect.Effect<unknown, Schema.SchemaError>

const erase = (convert: unknown) =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see `Convert`
  convert as Convert

/** Returns the conversion of a tool's parameters. The plain JSON Schema of a dynamic tool converts nothing. */
const parametersWith = (tool: Tool.Any, convert: (schema: Schema.Constraint) => unknown): Convert =>
  Schema.isSchema(tool.parametersSchema) ? erase(convert(tool.parametersSchema)) : Effect.succeed

/** Encodes successes and failures by the schemas of the tool. A result that its schema does not take is an `AiError`. */
const makeEncode = (tool: Tool.Any, method: string, convert: (schema: Schema.Constraint) => unknown) => {
  const encodeSuccess = erase(convert(tool.successSchema))
  const encodeFailure = erase(convert(Tool.failureResultSchema(tool)))

  return (result: unknown, isFailure: boolean) =>
    Effect.mapErrorEager((isFailure ? encodeFailure : encodeSuccess)(result), (error) =>
      AiError.make({
        module: "Toolkit",
        method,
        reason: new AiError.ToolResultEncodingError({
          toolName: tool.name,
          toolResult: result,
          description: error.message
        })
      }))
}

/** Returns what becomes of a failed call: a failure or an outcome, as the tool's mode says. */
const makeFail =
  (tool: Tool.Any, encode: ReturnType<typeof makeEncode>) =>
  (error: unknown, failureOrigin: Tool.FailureOrigin): Effect.Effect<ToolOutcome, unknown> =>
    tool.failureMode === "error"
      ? Effect.failCause(Cause.annotate(Cause.fail(error), Context.make(Toolkit.FailureOrigin, failureOrigin)))
      : Effect.andThen(
        Advice.log(error, `The tool "${tool.name}"`),
        Effect.mapEager(encode(error, true), (encodedResult) => ({
          result: error,
          encodedResult,
          isFailure: true,
          failureOrigin
        }))
      )

/** Works like `Context.merge(captured, input)`, but copies nothing if the caller already provides all the services. */
const provideMissing = (captured: Context.Context<never>) => {
  const services = Array.from(
    captured.mapUnsafe,
    ([key, service]): readonly [Context.Key<never, unknown>, unknown] => [Context.Service<never, unknown>(key), service]
  )
  return <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.contextWith((input: Context.Context<never>) => {
      if (Context.get(input, Provided) === captured) return effect
      let context = input
      for (const [key, service] of services) {
        if (Context.getOrElse(input, key, constMissing) === missing) context = Context.add(context, key, service)
      }
      return context === input ? effect : Effect.provideContext(effect, context)
    })
}

const missing = Symbol()
const constMissing = () => missing

const toOutcome = ({ modelOutput, ...outcome }: Omit<Tool.HandlerResult<Tool.Any>, "preliminary">): ToolOutcome =>
  modelOutput === undefined ? outcome : { ...outcome, modelOutput }

/** A toolkit streams its results: preliminary ones, if there are any, and then the outcome. */
const noOutcome = (): ToolOutcome => ({ result: undefined, encodedResult: undefined, isFailure: false })

const dropPreliminary = () => Effect.void

/**
 * The context of a handler whose call has no id and no listener. It is shared, because it stays on the heap while the
 * handler runs.
 */
const emptyContext = { toolCallId: undefined, preliminary: dropPreliminary }

const originOf = (error: unknown): Tool.FailureOrigin => Schema.isSchemaError(error) ? "result" : "handler"

const normalize = (toolName: string, method: string, error: unknown): unknown =>
  Schema.isSchemaError(error)
    ? AiError.make({
      module: "Toolkit",
      method,
      reason: new AiError.InvalidToolResultError({
        toolName,
        description: `Tool handler returned invalid result: ${error.message}`
      })
    })
    : AiError.isAiErrorReason(error)
    ? AiError.make({ module: "Toolkit", method, reason: error })
    : error

const invalidParameters = (toolName: string, method: string, error: Schema.SchemaError): AiError.AiError =>
  AiError.make({
    module: "Toolkit",
    method,
    reason: new AiError.ToolParameterValidationError({ toolName, description: error.message })
  })

const unknownTool = (toolName: string, availableTools: ReadonlyArray<string>): AiError.AiError =>
  AiError.make({
    module: "Toolkit",
    method: `${toolName}.handle`,
    reason: new AiError.ToolNotFoundError({ toolName, availableTools: [...availableTools] })
  })
