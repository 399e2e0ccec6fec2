/**
 * The features of a server: tools, prompts and resources whose handlers are effects and may sample. Each feature is a
 * Layer that registers itself on Effect's `McpServer`.
 *
 * @since 0.1.0
 */
import { StateNotKept } from "@effect-sampling/core/RequestState"
import { ReplayMismatch } from "@effect-sampling/core/SamplingError"
import * as ToolDispatch from "@effect-sampling/core/ToolDispatch"
import * as Advice from "@effect-sampling/core/wire/Advice"
import * as CapturedServices from "@effect-sampling/core/wire/CapturedServices"
import * as HandlerFailure from "@effect-sampling/core/wire/HandlerFailure"
import * as Progress from "@effect-sampling/core/wire/Progress"
import * as PromptDefinition from "@effect-sampling/core/wire/PromptDefinition"
import type { PromptArguments, PromptOptions } from "@effect-sampling/core/wire/PromptDefinition"
import type * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import * as SingleTool from "@effect-sampling/core/wire/SingleTool"
import type { ToolHandler } from "@effect-sampling/core/wire/SingleTool"
import * as Text from "@effect-sampling/core/wire/Text"
import * as ToolRequirements from "@effect-sampling/core/wire/ToolRequirements"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import * as McpSchema from "effect/ai/McpSchema"
import * as McpServer from "effect/ai/McpServer"
import type * as Tool from "effect/ai/Tool"
import type * as Toolkit from "effect/ai/Toolkit"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Refused } from "./internal/Refused.ts"
import { runCall, runRead } from "./internal/runCall.ts"
import { parseUriTemplate } from "./internal/uriTemplate.ts"

/**
 * Registers one tool with its handler.
 *
 * **When to use**
 *
 * Use it for a tool that stands alone. Use {@link toolkit} for a group of tools whose handlers share a Layer.
 *
 * **Details**
 *
 * The handler may fail with what the tool declares as its `failure`, and with every error of sampling and of asking the
 * client, which need not be declared. Everything else is as for {@link toolkit}.
 *
 * **Example** (Registering a tool that samples)
 *
 * ```ts
 * import { ClientSampler, Sampler } from "@effect-sampling/core"
 * import { Feature } from "@effect-sampling/mcp-effect"
 * import { Effect, Layer, Schema } from "effect"
 * import { Tool } from "effect/ai"
 *
 * const Summarise = Feature.tool(
 *   Tool.make("summarise", { parameters: Schema.Struct({ text: Schema.String }), success: Schema.String }),
 *   ({ text }) => Effect.map(Sampler.sample(`Summarise:\n\n${text}`), (reply) => reply.text)
 * ).pipe(Layer.provide(ClientSampler.layer))
 *
 * Layer.isLayer(Summarise) // => true
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const tool = <Served extends Tool.Any, R>(
  served: Served,
  handler: ToolHandler<Served, R>
): Layer.Layer<never, never, Requirements<R | Tool.HandlerServices<Served>>> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the registration needs these services, and its calls receive the others from the transport
  Layer.effectDiscard(Effect.flatMap(
    SingleTool.make(served, handler),
    ({ context, toolkit: single }) => Effect.provideContext(registerToolkit(single), context)
  )) as Layer.Layer<never, never, Requirements<R | Tool.HandlerServices<Served>>>

/**
 * Registers the tools of an `effect/ai` `Toolkit`, in place of `McpServer.toolkit`. A toolkit with its handlers (the
 * value of `yield* toolkit`), and an effect that returns one, need no Layer of handlers.
 *
 * **Details**
 *
 * - Up to MCP 2025-11-25, a handler that samples waits for its client. From 2026-07-28 on, the handler runs in rounds.
 * - The tool's `parameters` decode its arguments. Invalid arguments become an `isError` result that names the problem.
 * - A success whose schema is an object is sent as `structuredContent` and as text, any other success as text. A tool
 *   with `toModelOutput` sends the content blocks that it returns.
 * - A typed error becomes an `isError` result with the message of the error. A defect becomes a generic message, and
 *   its cause is logged.
 * - In rounds, a handler that fails because the client did not declare a capability ends with JSON-RPC error -32021.
 * - Preliminary results are sent as progress if the client asked for progress.
 *
 * **Example** (Registering a tool that samples)
 *
 * ```ts
 * import { ClientSampler, Sampler, SamplingError } from "@effect-sampling/core"
 * import { Feature } from "@effect-sampling/mcp-effect"
 * import { Effect, Layer, Schema } from "effect"
 * import { McpProtocol, McpTest, Tool, Toolkit } from "effect/ai"
 *
 * const Tools = Toolkit.make(
 *   Tool.make("greet", { success: Schema.String, failure: SamplingError.SamplingError })
 * )
 * const handlers = Tools.toLayer(Effect.map(Sampler.Sampler, (sampler) => ({
 *   greet: () => Effect.map(sampler.sample("Write a greeting"), (reply) => reply.text)
 * })))
 *
 * const registrations = Feature.toolkit(Tools).pipe(
 *   Layer.provide(handlers),
 *   Layer.provide(ClientSampler.layer)
 * )
 *
 * const tools = await Effect.runPromise(Effect.scoped(
 *   McpTest.makeClient(registrations, { protocols: [McpProtocol.v2025_11_25] }).pipe(
 *     Effect.flatMap((client) => client.listTools())
 *   )
 * ))
 * tools.tools.map(({ name }) => name) // => ["greet"]
 * ```
 *
 * Source: MCP 2025-11-25, tools, "Error Handling"; MCP 2026-07-28, multi round-trip requests.
 *
 * @see {@link prompt} for prompts, {@link resource} for resources
 * @category layers
 * @since 0.1.0
 */
export const toolkit: {
  <Tools extends Record<string, Tool.Any>>(
    self: Toolkit.Toolkit<Tools>
  ): Layer.Layer<never, never, McpServer.ToolkitRequirements<Tools>>
  <Tools extends Record<string, Tool.Any>, E = never, R = never>(
    self: ToolDispatch.ToolkitInput<Tools, E, R>
  ): Layer.Layer<never, E, R | Exclude<McpServer.ToolkitRequirements<Tools>, Tool.HandlersFor<Tools>>>
} = <Tools extends Record<string, Tool.Any>, E, R>(self: ToolDispatch.ToolkitInput<Tools, E, R>) =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- building the registration needs these services; middleware and the transport provide the others to each call
  Layer.effectDiscard(registerToolkit(self)) as Layer.Layer<never, never, McpServer.ToolkitRequirements<Tools>>

const registerToolkit = <Tools extends Record<string, Tool.Any>, E, R>(
  self: ToolDispatch.ToolkitInput<Tools, E, R>
) =>
  Effect.gen(function*() {
    const server = yield* McpServer.McpServer
    const dispatch = yield* ToolDispatch.make(self)
    const services = yield* Effect.context()
    for (const tool of Object.values<Tool.Any>(dispatch.tools)) {
      const checkFirst = ToolRequirements.ofTool(tool, yield* CapturedServices.of(tool))
      const definition = ToolResult.definition(tool)
      const toResult = ToolResult.make(tool, definition)
      yield* server.addTool({
        tool: new McpSchema.Tool(definition),
        annotations: tool.annotations,
        services,
        handle: (parameters: unknown) =>
          toHandled(
            Effect.flatMap(callOptions(server), (options) =>
              runCall(checkFirst(dispatch.call(tool.name, parameters, options)), {
                method: "tools/call",
                name: tool.name,
                arguments: parameters
              })).pipe(ToolRequirements.withSettings(tool)),
            toResult
          )
      })
    }
  })

type Handled = Effect.Effect<
  McpSchema.CallToolResult | McpSchema.InputRequired,
  McpSchema.InternalError,
  McpSchema.McpRequestContext
>

const toHandled = <E, R>(
  round: Effect.Effect<RoundRunner.Round<ToolDispatch.ToolOutcome>, E, R>,
  toResult: ToolResult.ToResult
): Handled =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the context of the registration or of the request holds the services of the handler; the server sends `Refused` as a JSON-RPC error
  Effect.matchCauseEffect(round, {
    onFailure: (cause): Effect.Effect<McpSchema.CallToolResult, unknown> =>
      isRefused(cause) || Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause)
        : Effect.flatMap(
          Effect.flatMap(brokenOff(cause), (text) =>
            text === undefined ? toResult.onFailure(cause) : Effect.succeed(ToolResult.ofError(text))),
          toCallToolResult
        ),
    onSuccess: (ended): Effect.Effect<McpSchema.CallToolResult | McpSchema.InputRequired> =>
      ended._tag === "InputRequired"
        ? Effect.succeed(toInputRequired(ended))
        : toCallToolResult(toResult.onSuccess(ended.value))
  }) as Handled

/**
 * Returns the message of the error that broke off a call in rounds, after logging its cause. The tool did not fail, but
 * its caller has to learn that the call cannot continue.
 */
const brokenOff = (cause: Cause.Cause<unknown>): Effect.Effect<string | undefined> => {
  const error = cause.reasons.find(Cause.isFailReason)?.error
  return isBrokenOff(error)
    ? Effect.as(
      Effect.andThen(
        Effect.logError("A call in rounds cannot continue", Text.loggable(cause)),
        Advice.log(error, "A call in rounds")
      ),
      error.message
    )
    : Effect.undefined
}

const isBrokenOff = Schema.is(Schema.Union([StateNotKept, ReplayMismatch]))

const isRefused = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error instanceof Refused)

const toInputRequired = (round: RoundRunner.InputRequired): McpSchema.InputRequired =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the engine sets at least one of the two fields, and each request has the parameters of its method
  new McpSchema.InputRequired(round as ConstructorParameters<typeof McpSchema.InputRequired>[0])

const decodeContent = Schema.decodeUnknownEffect(Schema.Array(McpSchema.ContentBlock))

const toCallToolResult = (result: ToolResult.ToolResult): Effect.Effect<McpSchema.CallToolResult> => {
  const texts = result.content.filter((block) => block.type === "text")
  // Text blocks have the same form on the wire. Nearly all results contain nothing else, so they
  // skip the decoding.
  return texts.length === result.content.length
    ? Effect.succeed(new McpSchema.CallToolResult({ ...result, content: texts }))
    : Effect.map(
      Effect.orDie(decodeContent(result.content)),
      (content) => new McpSchema.CallToolResult({ ...result, content })
    )
}

const callOptions = (server: McpServer.McpServer["Service"]) =>
  McpSchema.McpRequestContext.useSync(({ requestMetadata }) =>
    Progress.callOptions(requestMetadata?.["progressToken"], server.notifications["notifications/progress"])
  )

export type {
  /**
   * @category models
   * @since 0.1.0
   */
  PromptArguments
} from "@effect-sampling/core/wire/PromptDefinition"

/**
 * The services that the Layer of a feature needs: those of its handler, except for `McpRequestContext`, which the
 * transport provides to each call.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Requirements<R> = McpServer.McpServer | Exclude<R, McpSchema.McpRequestContext>

/**
 * Registers a prompt whose handler may sample. A string from the handler becomes one user message.
 *
 * **Details**
 *
 * The Layer needs the services of the handler. `McpServer.prompt` differs: it leaves them to middleware. A typed error
 * becomes a JSON-RPC error with the message of the error. A defect becomes a generic JSON-RPC error, and its cause is
 * logged.
 *
 * **Example** (Registering a prompt with an argument)
 *
 * ```ts
 * import { ClientSampler, Sampler } from "@effect-sampling/core"
 * import { Feature } from "@effect-sampling/mcp-effect"
 * import { Effect, Layer, Schema } from "effect"
 *
 * const Improve = Feature.prompt(
 *   { name: "improve", description: "Improves a prompt", arguments: Schema.Struct({ prompt: Schema.String }) },
 *   ({ prompt }) => Effect.map(Sampler.sample(`Make this prompt clearer:\n\n${prompt}`), (reply) => reply.text)
 * ).pipe(Layer.provide(ClientSampler.layer))
 *
 * Layer.isLayer(Improve) // => true
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const prompt = <E, R, Arguments extends PromptArguments = Schema.Struct<{}>>(
  options: PromptOptions<Arguments> & {
    /**
     * The annotations of the registration, for example `McpSchema.EnabledWhen`. Default: none.
     */
    readonly annotations?: Context.Context<never> | undefined
  },
  handler: (
    parameters: Arguments["Type"]
  ) => Effect.Effect<string | ReadonlyArray<McpSchema.PromptMessage> | McpSchema.GetPromptResult, E, R>
): Layer.Layer<never, never, Requirements<R>> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const server = yield* McpServer.McpServer
    const services = yield* Effect.context<Exclude<R, McpSchema.McpRequestContext>>()
    const decode = PromptDefinition.decoder(options)
    const run = (parameters: Readonly<Record<string, string>>) =>
      Result.match(decode(parameters), {
        onFailure: (message) => Effect.fail(new McpSchema.InvalidParams({ message: Text.visible(message) })),
        onSuccess: (decoded) =>
          runCall(Effect.suspend(() => handler(decoded)), {
            method: "prompts/get",
            name: options.name,
            arguments: parameters
          }).pipe(
            Effect.map((round) =>
              round._tag === "InputRequired"
                ? toInputRequired(round)
                : toPromptResult(Text.wellFormed(round.value), options.description)
            ),
            Effect.catchCause(orProtocolError(`The prompt "${options.name}"`))
          )
      })
    yield* server.addPrompt({
      prompt: new McpSchema.Prompt(PromptDefinition.make(options)),
      annotations: options.annotations ?? Context.empty(),
      services,
      completions: {},
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the handler's services are those of `services`, captured above
      handle: run as Parameters<typeof server.addPrompt>[0]["handle"]
    })
  }))

const toPromptResult = (
  result: string | ReadonlyArray<McpSchema.PromptMessage> | McpSchema.GetPromptResult,
  description: string | undefined
): McpSchema.GetPromptResult =>
  typeof result === "string"
    ? new McpSchema.GetPromptResult({
      description,
      messages: [{ role: "user", content: { type: "text", text: result } }]
    })
    : "messages" in result
    ? result
    : new McpSchema.GetPromptResult({ description, messages: result })

/** Converts a failure to a JSON-RPC error. A cause that the client must not see goes to the log. */
const orProtocolError =
  (what: string) => <E>(cause: Cause.Cause<E>): Effect.Effect<never, E | McpSchema.InternalError> =>
    isRefused(cause) || Cause.hasInterruptsOnly(cause)
      ? Effect.failCause(cause)
      : Effect.flatMap(
        HandlerFailure.text(cause, what),
        (message) => new McpSchema.InternalError({ message: Text.visible(message) })
      )

/**
 * Registers a resource whose handler may sample, up to MCP 2025-11-25. A string from the handler is the text of the
 * resource. `uri` is a URI, or a template with variables such as `{name}`, whose values the handler receives.
 *
 * **Gotchas**
 *
 * From MCP 2026-07-28 on, Effect's server cannot ask the client on behalf of a resource. `ClientSampler` then fails
 * with `SamplingUnsupported`, and `Sampler.fallback` continues to a provider.
 *
 * **Example** (Registering a resource template)
 *
 * ```ts
 * import { ClientSampler, Sampler } from "@effect-sampling/core"
 * import { Feature } from "@effect-sampling/mcp-effect"
 * import { Effect, Layer } from "effect"
 *
 * const Definition = Feature.resource(
 *   { name: "definition", uri: "dictionary://{word}", mimeType: "text/plain" },
 *   ({ variables }) => Effect.map(Sampler.sample(`Define: ${variables["word"]}`), (reply) => reply.text)
 * ).pipe(Layer.provide(ClientSampler.layer))
 *
 * Layer.isLayer(Definition) // => true
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const resource = <E, R>(
  options: {
    readonly name: string
    readonly uri: string
    readonly title?: string | undefined
    readonly description?: string | undefined
    readonly mimeType?: string | undefined
    /**
     * The annotations of the registration, for example `McpSchema.EnabledWhen`. Default: none.
     */
    readonly annotations?: Context.Context<never> | undefined
  },
  handler: (request: {
    readonly uri: string
    readonly variables: Readonly<Record<string, string>>
  }) => Effect.Effect<string | Uint8Array | McpSchema.ReadResourceResult, E, R>
): Layer.Layer<never, never, Requirements<R>> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const server = yield* McpServer.McpServer
    const { uri, annotations = Context.empty(), ...described } = options
    const read = (address: string, variables: Readonly<Record<string, string>>) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the handler's services are those of `common.services` below
      runRead(Effect.suspend(() => handler({ uri: address, variables }))).pipe(
        Effect.map((result) => toContents(Text.wellFormed(result), address, options.mimeType)),
        Effect.catchCause(orProtocolError(`The resource "${options.name}"`))
      ) as Effect.Effect<McpSchema.ReadResourceResult, McpSchema.InternalError, McpSchema.McpRequestContext>
    const common = {
      annotations,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server merges these services with those of each request
      services: (yield* Effect.context<Exclude<R, McpSchema.McpRequestContext>>()) as Context.Context<never>
    }
    const template = parseUriTemplate(uri)
    if (template === undefined) {
      return yield* server.addResource({
        ...common,
        resource: new McpSchema.Resource({ ...described, uri }),
        handle: read(uri, {})
      })
    }
    return yield* server.addResourceTemplate({
      ...common,
      template: new McpSchema.ResourceTemplate({ ...described, uriTemplate: uri }),
      routerPath: template.routerPath,
      completions: {},
      handle: (address, values) =>
        read(address, Object.fromEntries(template.variables.map((name, index) => [name, values[index]!])))
    })
  }))

const toContents = (
  result: string | Uint8Array | McpSchema.ReadResourceResult,
  uri: string,
  mimeType: string | undefined
): McpSchema.ReadResourceResult =>
  typeof result === "string"
    ? { contents: [{ uri, mimeType, text: result }] }
    : result instanceof Uint8Array
    ? { contents: [{ uri, mimeType, blob: result }] }
    : result
