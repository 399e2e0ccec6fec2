/**
 * The constructors of a server's features (tools, prompts and resources) on an SDK.
 *
 * @since 0.1.0
 */
import * as ToolDispatch from "@effect-sampling/core/ToolDispatch"
import * as CapturedServices from "@effect-sampling/core/wire/CapturedServices"
import { protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import * as Progress from "@effect-sampling/core/wire/Progress"
import * as PromptDefinition from "@effect-sampling/core/wire/PromptDefinition"
import type { PromptArguments, PromptOptions } from "@effect-sampling/core/wire/PromptDefinition"
import * as SingleTool from "@effect-sampling/core/wire/SingleTool"
import type { ToolHandler } from "@effect-sampling/core/wire/SingleTool"
import * as ToolRequirements from "@effect-sampling/core/wire/ToolRequirements"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import type * as Tool from "effect/ai/Tool"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { interruptedOrBrokenOff, makeRunner, orProtocolError } from "./internal/calls/runCall.ts"
import { invalidParams } from "./internal/errorCodes.ts"
import { logToStderr } from "./internal/logToStderr.ts"
import { addEntries, serverOf } from "./internal/registry.ts"
import { contentsOf, promptOf } from "./internal/textResults.ts"
import type { AnyServer, Sdk, SdkTypes, Variables } from "./Sdk.ts"

/**
 * A toolkit, a prompt or a resource, prepared once. It can be installed on any number of SDK servers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Feature<Server> {
  /**
   * Adds the feature to a server that is not connected yet.
   */
  readonly install: (server: Server) => void
}

/**
 * The features of a server: any number of effects, each with its own errors and requirements.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyFeatures<Server> = FeaturesOf<Feature<Server>>

/**
 * The features of a server, by the name that an adapter has for a feature. The compiler shows that name in its errors.
 *
 * @category models
 * @since 0.1.0
 */
export type FeaturesOf<Feature> = ReadonlyArray<Effect.Effect<Feature, unknown, unknown>>

/**
 * The author's description of a resource. `uri` is a URI or an RFC 6570 template.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResourceOptions {
  readonly name: string
  readonly uri: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly mimeType?: string | undefined
}

/**
 * The input of a resource's handler: the URI that the client reads, and the values of the template's variables in it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResourceRequest {
  readonly uri: string
  readonly variables: Readonly<Record<string, string | ReadonlyArray<string>>>
}

/**
 * The constructors of features on one SDK. The adapter of the SDK documents them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Features<T extends SdkTypes> {
  readonly tool: <Served extends Tool.Any, R>(
    tool: Served,
    handler: ToolHandler<Served, R>
  ) => Effect.Effect<Feature<T["Server"]>, never, R | Tool.HandlerServices<Served>>
  readonly toolkit: <Tools extends Record<string, Tool.Any>, E = never, R = never>(
    self: ToolDispatch.ToolkitInput<Tools, E, R>
  ) => Effect.Effect<Feature<T["Server"]>, E, R | Tool.HandlerServices<Tools[keyof Tools]>>
  readonly prompt: <E, R, Arguments extends PromptArguments = Schema.Struct<{}>>(
    options: PromptOptions<Arguments>,
    handler: (parameters: Arguments["Type"]) => Effect.Effect<string | T["PromptResult"], E, R>
  ) => Effect.Effect<Feature<T["Server"]>, never, R>
  readonly resource: <E, R>(
    options: ResourceOptions,
    handler: (request: ResourceRequest) => Effect.Effect<string | T["ResourceResult"], E, R>
  ) => Effect.Effect<Feature<T["Server"]>, never, R>
  readonly register: <E, R>(
    server: AnyServer<T>,
    feature: Effect.Effect<Feature<T["Server"]>, E, R>
  ) => Effect.Effect<void, E, R>
}

/**
 * Builds the constructors of features on an SDK.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <T extends SdkTypes>(sdk: Sdk<T>): Features<T> => ({
  tool: makeTool(sdk),
  toolkit: makeToolkit(sdk),
  prompt: makePrompt(sdk),
  resource: makeResource(sdk),
  register: (server, feature) => logToStderr(Effect.map(feature, ({ install }) => install(serverOf<T>(server))))
})

const makeTool =
  <T extends SdkTypes>(sdk: Sdk<T>): Features<T>["tool"] =>
  <Served extends Tool.Any, R>(tool: Served, handler: ToolHandler<Served, R>) =>
    Effect.flatMap(
      SingleTool.make(tool, handler),
      ({ context, toolkit }) => Effect.provideContext(makeToolkit(sdk)(toolkit), context)
    )

const makeToolkit =
  <T extends SdkTypes>(sdk: Sdk<T>): Features<T>["toolkit"] =>
  <Tools extends Record<string, Tool.Any>, E, R>(self: ToolDispatch.ToolkitInput<Tools, E, R>) =>
    Effect.gen(function*() {
      const dispatch = yield* ToolDispatch.make(self)
      const entries = yield* Effect.forEach(
        Object.values<Tool.Any>(dispatch.tools),
        (tool) =>
          Effect.flatMap(
            CapturedServices.of(tool),
            (captured) =>
              Effect.map(makeRunner<T, Tool.HandlerServices<Tools[keyof Tools]>>(sdk, captured), ({ report, run }) => {
                const checkFirst = ToolRequirements.ofTool(tool, captured)
                const definition = ToolResult.definition(tool)
                const { onFailure, onSuccess } = ToolResult.make(tool, definition)
                // All calls share one function: a running call keeps its `toResult` in memory until it ends.
                const toResult = (exit: Exit.Exit<ToolDispatch.ToolOutcome, unknown>) =>
                  Exit.isSuccess(exit)
                    ? onSuccess(exit.value)
                    : report(interruptedOrBrokenOff(exit.cause) ?? onFailure(exit.cause))
                return {
                  definition,
                  call: (server: T["Server"], parameters: unknown, request: T["Request"]) =>
                    run(
                      checkFirst(dispatch.call(tool.name, parameters, callOptions(sdk, request))),
                      "tools/call",
                      server,
                      request,
                      toResult
                    )
                }
              }).pipe(ToolRequirements.withSettings(tool))
          )
      )
      return { install: (server) => addEntries(sdk, server, "tools", entries) }
    })

const callOptions = <T extends SdkTypes>(sdk: Sdk<T>, request: T["Request"]): ToolDispatch.CallOptions | undefined =>
  Progress.callOptions(
    sdk.infoOf(request).progressToken,
    (params) => Effect.promise(() => sdk.notifyProgress(request, params))
  )

const makePrompt =
  <T extends SdkTypes>(sdk: Sdk<T>): Features<T>["prompt"] =>
  <E, R, Arguments extends PromptArguments>(
    options: PromptOptions<Arguments>,
    handler: (parameters: Arguments["Type"]) => Effect.Effect<string | T["PromptResult"], E, R>
  ) =>
    Effect.map(makeRunner<T, R>(sdk), ({ report, run }) => {
      const definition = PromptDefinition.make(options)
      const decode = PromptDefinition.decoder(options)
      const toResult = orProtocolError(
        `The prompt "${options.name}"`,
        report,
        (result: string | T["PromptResult"]): object => typeof result === "string" ? promptOf(result) : result
      )
      const get = (server: T["Server"], parameters: unknown, request: T["Request"]): Promise<object> => {
        const decoded = decode(parameters)
        if (Result.isFailure(decoded)) throw protocolError(invalidParams, decoded.failure)
        return run(Effect.suspend(() => handler(decoded.success)), "prompts/get", server, request, toResult)
      }
      return { install: (server) => addEntries(sdk, server, "prompts", [{ definition, get }]) }
    })

const makeResource = <T extends SdkTypes>(sdk: Sdk<T>): Features<T>["resource"] =>
<E, R>(
  { name, uri: address, ...described }: ResourceOptions,
  handler: (request: ResourceRequest) => Effect.Effect<string | T["ResourceResult"], E, R>
) =>
  Effect.map(makeRunner<T, R>(sdk), ({ report, run }) => {
    const common = {
      name,
      ...(described.title !== undefined && { title: described.title }),
      ...(described.description !== undefined && { description: described.description }),
      ...(described.mimeType !== undefined && { mimeType: described.mimeType })
    }
    const matchTemplate = sdk.parseUriTemplate(address)
    const read = (server: T["Server"], uri: string, variables: Variables, request: T["Request"]) =>
      run(
        Effect.suspend(() => handler({ uri, variables })),
        "resources/read",
        server,
        request,
        orProtocolError(
          `The resource "${name}"`,
          report,
          (result: string | T["ResourceResult"]): object =>
            typeof result === "string" ? contentsOf(result, uri, described.mimeType) : result
        )
      )
    const entry = {
      definition: matchTemplate === undefined ? { ...common, uri: address } : { ...common, uriTemplate: address },
      match: matchTemplate ?? ((uri: string) => (uri === address ? {} : undefined)),
      read
    }
    return { install: (server) => addEntries(sdk, server, "resources", [entry]) }
  })
