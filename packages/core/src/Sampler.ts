/**
 * The service that answers sampling requests, and the combinators that compose its Layers.
 *
 * @since 0.1.0
 */
import type * as Tool from "effect/ai/Tool"
import * as Arr from "effect/Array"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { withAdvice } from "./internal/advice.ts"
import { chooseSource } from "./internal/chooseSource.ts"
import { checkAnswer } from "./internal/loop/checkAnswer.ts"
import { firstOfPrimitives } from "./internal/loop/firstOf.ts"
import { makeMethods } from "./internal/loop/methods.ts"
import { withFormatInstruction } from "./internal/objects/formatInstruction.ts"
import { validateRequest } from "./internal/request/validateRequest.ts"
import type {
  Methods,
  ObjectOptions,
  ObjectToolOptions,
  Primitive,
  Sample,
  SampledObject,
  SampleOptions,
  SamplerCapabilities,
  SamplingRequirement,
  Step,
  StepOptions
} from "./internal/sampleTypes.ts"
import { inputAttributes, outputAttributes } from "./internal/trace/contentAttributes.ts"
import { requestAttributes, responseAttributes } from "./internal/trace/spanAttributes.ts"
import { traced } from "./internal/trace/traced.ts"
import { SamplingUnsupported } from "./SamplingError.ts"
import type { SamplingError } from "./SamplingError.ts"
import type * as SamplingPrompt from "./SamplingPrompt.ts"
import type { SamplingRequest } from "./SamplingRequest.ts"
import type { SamplingResponse } from "./SamplingResponse.ts"
import type * as ToolLoop from "./ToolLoop.ts"

/**
 * The service that answers sampling requests. The Layer that provides it decides which model answers.
 *
 * **Example** (Sampling in an effect)
 *
 * ```ts
 * import { Sampler, TestSampler } from "@effect-sampling/core"
 * import { Effect } from "effect"
 *
 * const summarise = (text: string) =>
 *   Sampler.sample(`Summarise:\n\n${text}`, { maxTokens: 300 }).pipe(Effect.map((reply) => reply.text))
 *
 * const summary = await Effect.runPromise(
 *   summarise("a long text").pipe(Effect.provide(TestSampler.scripted(["short"])))
 * )
 * summary // => "short"
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Sampler extends Context.Service<
  Sampler,
  Primitive & Methods
>()("@effect-sampling/core/Sampler") {}

/**
 * Marks a Layer whose completions come from a model that the server configured, never from the client. Provider Layers
 * provide it together with {@link Sampler}, and {@link always} requires it.
 *
 * @category services
 * @since 0.1.0
 */
export class Provider extends Context.Service<Provider, {
  /**
   * The provider's name, for example `openai`.
   */
  readonly name: string
}>()("@effect-sampling/core/Sampler/Provider") {}

export type {
  /**
   * @category models
   * @since 0.1.0
   */
  ObjectOptions,
  /**
   * @category models
   * @since 0.1.0
   */
  Sample,
  /**
   * @category models
   * @since 0.1.0
   */
  SampledObject,
  /**
   * @category models
   * @since 0.1.0
   */
  SampleOptions,
  /**
   * @category models
   * @since 0.1.0
   */
  SamplerCapabilities,
  /**
   * @category models
   * @since 0.1.0
   */
  SamplingRequirement,
  /**
   * @category models
   * @since 0.1.0
   */
  Step,
  /**
   * @category models
   * @since 0.1.0
   */
  StepOptions
} from "./internal/sampleTypes.ts"

/**
 * Builds the whole service from its one primitive, `createMessage`. Every source uses it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly createMessage: (request: SamplingRequest) => Effect.Effect<SamplingResponse, SamplingError>
  readonly capabilities: Effect.Effect<SamplerCapabilities>
  /**
   * Fails if the source cannot answer requests, or not those with tools. Default: what `capabilities` says.
   */
  readonly check?: ((requirement: SamplingRequirement) => Effect.Effect<void, SamplingUnsupported>) | undefined
}): Sampler["Service"] =>
  fromPrimitive({
    capabilities: options.capabilities,
    check: options.check ?? checkCapabilities(options.capabilities),
    createMessage: (request) =>
      Effect.withFiber((fiber) => {
        const valid = validateRequest(request)
        if (Result.isFailure(valid)) return Effect.fail(valid.failure)
        const ask = (resolved: SamplingRequest) =>
          createMessageSpan(
            fiber,
            resolved,
            Effect.flatMap(
              options.createMessage(resolved),
              (response) => Effect.fromResult(checkAnswer(resolved, response))
            )
          )
        const { responseFormat } = valid.success
        return responseFormat === undefined
          ? ask(valid.success)
          : Effect.flatMap(
            options.capabilities,
            ({ jsonSchema }) =>
              ask(jsonSchema ? valid.success : withFormatInstruction({ ...valid.success, responseFormat }))
          )
      })
  })

/**
 * Asks the source that the Layers provide for one completion. With a `toolkit`, the model may call its tools until it
 * answers.
 *
 * **Details**
 *
 * Tool calls are run regardless of the stop reason. The model receives an error result for an unknown tool, for invalid
 * arguments (also if they are not a JSON object), for a denied approval, for a defect (masked), and for the declared failure of a tool with `failureMode:
 * "return"`. The declared failure of a tool with `failureMode: "error"`, the default of `Tool.make`, fails the sample.
 * After `maxTurns` turns the sample fails with `TurnLimitExceeded`, which holds the history.
 *
 * **Example** (Letting the model call a tool)
 *
 * ```ts
 * import { Sampler, TestSampler } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 * import { Tool, Toolkit } from "effect/ai"
 *
 * const Weather = Tool.make("weather", {
 *   description: "The weather in a city",
 *   parameters: Schema.Struct({ city: Schema.String }),
 *   success: Schema.String
 * })
 * const Tools = Toolkit.make(Weather)
 * const handlers = Tools.toLayer({ weather: ({ city }) => Effect.succeed(`Sunny in ${city}`) })
 *
 * const model = TestSampler.scripted([
 *   { content: { type: "tool_use", id: "1", name: "weather", input: { city: "Rome" } }, stopReason: "toolUse" },
 *   "Leave your umbrella at home."
 * ])
 * const reply = await Effect.runPromise(
 *   Sampler.sample("Do I need an umbrella in Rome?", { toolkit: Tools }).pipe(Effect.provide([model, handlers]))
 * )
 * reply.text // => "Leave your umbrella at home."
 * reply.turns // => 2
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const sample: {
  (prompt: SamplingPrompt.Input, options?: SampleOptions & { readonly toolkit?: never }): Effect.Effect<
    Sample,
    SamplingError,
    Sampler
  >
  <Tools extends Record<string, Tool.Any>, E = never, R = never, ToolkitError = never, ToolkitServices = never>(
    prompt: SamplingPrompt.Input,
    options: SampleOptions & ToolLoop.Options<Tools, E, R, ToolkitError, ToolkitServices>
  ): Effect.Effect<
    Sample,
    SamplingError | ToolLoop.Failure<Tools> | E | ToolkitError,
    Sampler | Tool.HandlerServices<Tools[keyof Tools]> | R | ToolkitServices
  >
} = (prompt: SamplingPrompt.Input, options?: SampleOptions) =>
  Effect.flatMap(Sampler, (sampler) => sampler.sample(prompt, options))

/**
 * Asks for one completion that may call tools, and runs its calls. It is one turn, the building block of a loop of your
 * own.
 *
 * **Details**
 *
 * With `execute: false` the calls are not run, and you have to answer them. Default: true.
 *
 * **Example** (Writing the loop by hand)
 *
 * ```ts
 * import { Sampler, SamplingMessage, TestSampler } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 * import { Tool, Toolkit } from "effect/ai"
 *
 * const Tools = Toolkit.make(
 *   Tool.make("double", { parameters: Schema.Struct({ n: Schema.Finite }), success: Schema.Finite })
 * )
 *
 * const program = Effect.gen(function*() {
 *   let step = yield* Sampler.step("Twice 21?", { toolkit: Tools })
 *   while (step.calls.length > 0) step = yield* Sampler.step(step.history, { toolkit: Tools })
 *   return step.text
 * })
 *
 * const model = TestSampler.scripted([
 *   { content: { type: "tool_use", id: "1", name: "double", input: { n: 21 } }, stopReason: "toolUse" },
 *   "42"
 * ])
 * const answer = await Effect.runPromise(
 *   program.pipe(Effect.provide([model, Tools.toLayer({ double: ({ n }) => Effect.succeed(n * 2) })]))
 * )
 * answer // => "42"
 * ```
 *
 * @see {@link sample} with a `toolkit` for the whole loop
 * @category accessors
 * @since 0.1.0
 */
export const step = <Tools extends Record<string, Tool.Any>, ToolkitError = never, ToolkitServices = never>(
  prompt: SamplingPrompt.Input,
  options: StepOptions<Tools, ToolkitError, ToolkitServices>
): Effect.Effect<
  Step,
  SamplingError | ToolLoop.Failure<Tools> | ToolkitError,
  Sampler | Tool.HandlerServices<Tools[keyof Tools]> | ToolkitServices
> => Effect.flatMap(Sampler, (sampler) => sampler.step(prompt, options))

/**
 * Asks for a value of a Schema, with or without tools on the way.
 *
 * **Details**
 *
 * Any Schema that has a JSON form is allowed: structs, unions, arrays, literals, classes, recursive schemas. It works
 * on every source: through the provider's own JSON mode, else through a tool that the model must call in the end, else
 * through an instruction with the JSON Schema. An answer that does not fit is sent back together with its problem, at
 * most `maxRepairs` times in all. After that the effect fails with `StructuredOutputError`, which holds every attempt.
 *
 * **Example** (Getting typed data)
 *
 * ```ts
 * import { Sampler, TestSampler } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 *
 * const Invoice = Schema.Struct({ customer: Schema.String, due: Schema.DateFromString })
 *
 * const model = TestSampler.scripted([`Here it is: {"customer":"Acme","due":"2026-12-01"}`])
 * const invoice = await Effect.runPromise(
 *   Sampler.sampleObject(Invoice, "Acme owes us money until December").pipe(Effect.provide(model))
 * )
 * invoice.value.customer // => "Acme"
 * invoice.value.due.getFullYear() // => 2026
 * ```
 *
 * @category accessors
 * @since 0.1.0
 */
export const sampleObject: {
  <S extends Schema.Constraint>(
    schema: S,
    prompt: SamplingPrompt.Input,
    options?: SampleOptions & ObjectOptions & { readonly toolkit?: never }
  ): Effect.Effect<SampledObject<S["Type"]>, SamplingError, Sampler | S["DecodingServices"]>
  <S extends Schema.Constraint, Tools extends Record<string, Tool.Any>, ToolkitError = never, ToolkitServices = never>(
    schema: S,
    prompt: SamplingPrompt.Input,
    options: SampleOptions & ObjectOptions & ObjectToolOptions<Tools, ToolkitError, ToolkitServices>
  ): Effect.Effect<
    SampledObject<S["Type"]>,
    SamplingError | ToolLoop.Failure<Tools> | ToolkitError,
    Sampler | Tool.HandlerServices<Tools[keyof Tools]> | ToolkitServices | S["DecodingServices"]
  >
} = (schema: Schema.Constraint, prompt: SamplingPrompt.Input, options?: SampleOptions & ObjectOptions) =>
  Effect.flatMap(Sampler, (sampler) => sampler.sampleObject(schema, prompt, options))

/**
 * Options of {@link fallback} and {@link firstOf}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FallbackOptions {
  /**
   * Decides whether an error moves the request to the next source. Default: only errors of a source that cannot answer
   * do (`SamplingUnsupported`, `RoundsExceeded`). A user's refusal ends the request, and so does any other failure.
   */
  readonly when?: ((error: SamplingError) => boolean) | undefined
  /**
   * The time after which a client that neither answers nor reports progress is given up, and the next source is asked.
   * Some clients declare sampling and never answer, for example GitHub Copilot CLI without a terminal. The request is
   * cancelled at the client. A shorter `ClientConnection.AskTimeout` counts as silence, too. `Infinity` waits for as long
   * as `ClientConnection.AskTimeout` says, and then fails unless `when` moves on. The last source has no such limit, and
   * neither has a client that is asked in rounds. Default: 1 minute.
   */
  readonly silence?: Duration.Input | undefined
}

/**
 * Asks `primary`, and asks `secondary` if `primary` cannot answer.
 *
 * **Details**
 *
 * The result names the source that answered (`source`) and holds the error of the first one if it did not
 * (`passedOver`). Without `when`, only `SamplingUnsupported`, `RoundsExceeded` and the silence of a client lead to
 * `secondary`.
 *
 * **Example** (Falling back to a provider)
 *
 * ```ts
 * import { ClientSampler, Sampler, TestSampler } from "@effect-sampling/core"
 * import { Effect } from "effect"
 *
 * const layer = Sampler.fallback(ClientSampler.layer, TestSampler.scripted(["from the provider"]))
 *
 * const reply = await Effect.runPromise(Sampler.sample("Hi").pipe(Effect.provide(layer)))
 * reply.source.kind // => "provider"
 * reply.passedOver.map((error) => error._tag) // => ["SamplingUnsupported"]
 * ```
 *
 * @see {@link firstOf} for more than two sources
 * @category combinators
 * @since 0.1.0
 */
export const fallback: {
  <E2, R2>(
    secondary: Layer.Layer<Sampler, E2, R2>,
    options?: FallbackOptions
  ): <E1, R1>(primary: Layer.Layer<Sampler, E1, R1>) => Layer.Layer<Sampler, E1 | E2, R1 | R2>
  <E1, R1, E2, R2>(
    primary: Layer.Layer<Sampler, E1, R1>,
    secondary: Layer.Layer<Sampler, E2, R2>,
    options?: FallbackOptions
  ): Layer.Layer<Sampler, E1 | E2, R1 | R2>
} = dual(
  (args) => Layer.isLayer(args[1]),
  <E1, R1, E2, R2>(
    primary: Layer.Layer<Sampler, E1, R1>,
    secondary: Layer.Layer<Sampler, E2, R2>,
    options?: FallbackOptions
  ): Layer.Layer<Sampler, E1 | E2, R1 | R2> => firstOf([primary, secondary], options)
)

/**
 * Asks the sources in order until one can answer.
 *
 * **Details**
 *
 * If no source can answer, the request fails with the error of the last source. A provider before a source that is not
 * one, such as `ClientSampler.layer`, is a warning in the log unless `when` is given: the provider nearly always answers.
 *
 * @category combinators
 * @since 0.1.0
 */
export const firstOf = <const Layers extends Arr.NonEmptyReadonlyArray<Layer.Layer<Sampler, unknown, unknown>>>(
  layers: Layers,
  options?: FallbackOptions
): Layer.Layer<Sampler, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>> => {
  const choice = {
    when: options?.when ?? cannotAnswer,
    silenceMillis: Duration.toMillis(options?.silence ?? "1 minute")
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the errors and requirements of the elements are exactly these unions
  const sources = layers as Arr.NonEmptyReadonlyArray<
    Layer.Layer<Sampler, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>>
  >
  // The memo map of the whole graph makes sure that a Layer used both here and elsewhere is built once.
  return Layer.fromBuildMemo((memoMap, scope) =>
    Effect.map(
      Effect.forEach(sources, (source) => Layer.buildWithMemoMap(source, memoMap, scope)).pipe(
        Effect.tap((contexts) => options?.when === undefined ? warnOfOrder(contexts) : Effect.void)
      ),
      (contexts) => {
        const samplers = Arr.map(contexts, Context.get(Sampler))
        return Context.make(Sampler, fromPrimitive(firstOfPrimitives(samplers, choice)))
      }
    )
  )
}

/** Warns of a provider before another kind of source, such as the client, because the provider nearly always answers. */
const warnOfOrder = (sources: ReadonlyArray<Context.Context<Sampler>>): Effect.Effect<void> => {
  const providers = sources.map((source) => Option.getOrUndefined(Context.getOption(source, Provider)))
  const first = providers.find((provider, index) =>
    provider !== undefined && providers.slice(index + 1).includes(undefined)
  )
  return first === undefined
    ? Effect.void
    : Effect.logWarning(
      `The provider "${first.name}" stands before a source that is not a provider, which is asked only for what the ` +
        "provider cannot serve. Put ClientSampler.layer first, or pass `when` to say which errors move on."
    )
}

/**
 * Takes every completion from the provider and never asks the client. A Layer that does not provide {@link Provider} is
 * a type error.
 *
 * @category combinators
 * @since 0.1.0
 */
export const always = <E, R>(provider: Layer.Layer<Sampler | Provider, E, R>): Layer.Layer<Sampler, E, R> => provider

/**
 * Lets environment variables choose the behaviour and the provider, without a change of code.
 *
 * **Details**
 *
 * | variable | values | default |
 * |---|---|---|
 * | `SAMPLING_PROVIDER` | a key of `providers` | none |
 * | `SAMPLING_BEHAVIOR` | `client`, `fallback`, `always` | `fallback` with a provider, `client` without |
 *
 * Only the Layer of the chosen provider is built. An invalid value, or `fallback` or `always` without a provider, fails
 * the Layer with a `ConfigError`.
 *
 * **Example** (Choosing a provider by environment variables)
 *
 * ```ts
 * import { ClientSampler, Sampler, TestSampler } from "@effect-sampling/core"
 * import { ConfigProvider, Effect, Layer } from "effect"
 *
 * const layer = Sampler.fromConfig({
 *   client: ClientSampler.layer,
 *   providers: { scripted: TestSampler.scripted(["hello"]) }
 * })
 * const environment = ConfigProvider.layer(
 *   ConfigProvider.fromUnknown({ SAMPLING_BEHAVIOR: "always", SAMPLING_PROVIDER: "scripted" })
 * )
 * const reply = await Effect.runPromise(
 *   Sampler.sample("Hi").pipe(Effect.provide(Layer.provide(layer, environment)))
 * )
 * reply.text // => "hello"
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const fromConfig = <
  EC,
  RC,
  const Providers extends Readonly<Record<string, Layer.Layer<Sampler | Provider, unknown, unknown>>>
>(options: {
  readonly client: Layer.Layer<Sampler, EC, RC>
  readonly providers: Providers
}): Layer.Layer<
  Sampler,
  EC | Layer.Error<Providers[keyof Providers]> | Config.ConfigError,
  RC | Layer.Services<Providers[keyof Providers]>
> => {
  type E = Layer.Error<Providers[keyof Providers]>
  type R = Layer.Services<Providers[keyof Providers]>
  return Layer.unwrap(
    Effect.map(
      chooseSource(Object.keys(options.providers)),
      ({ behavior, provider: name }): Layer.Layer<Sampler, EC | E, RC | R> => {
        if (name === undefined) return options.client
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `name` is a key of `providers`; E and R are unions over its values
        const provider = options.providers[name] as Layer.Layer<Sampler | Provider, E, R>
        return behavior === "always" ? always(provider) : fallback(options.client, provider)
      }
    )
  )
}

const cannotAnswer = (error: SamplingError): boolean =>
  error._tag === "SamplingUnsupported" || error._tag === "RoundsExceeded"

const createMessageSpan = traced("sampling/createMessage", {
  kind: "client",
  requestAttributes: (request: SamplingRequest, capture) =>
    capture ? { ...requestAttributes(request), ...inputAttributes(request) } : requestAttributes(request),
  responseAttributes: (response: SamplingResponse, capture) =>
    capture ? { ...responseAttributes(response), ...outputAttributes(response) } : responseAttributes(response)
})

/** Makes the check of a source that says only what it is capable of. */
const checkCapabilities =
  (capabilities: Effect.Effect<SamplerCapabilities>) =>
  (requirement: SamplingRequirement): Effect.Effect<void, SamplingUnsupported> =>
    Effect.flatMap(capabilities, ({ sampling, tools }) =>
      sampling && (tools || requirement === "sampling")
        ? Effect.void
        : Effect.fail(withAdvice(
          new SamplingUnsupported({
            missing: requirement,
            message: sampling
              ? "The source of this server answers sampling requests, but not those with tools."
              : "The source of this server cannot answer sampling requests."
          }),
          "Provide another source, or put one behind it: Sampler.fallback(source, provider)."
        )))

/**
 * Adds the methods to a primitive, without the checks of {@link make}. The combinators use it, because the sources that
 * they ask already check requests and answers.
 */
const fromPrimitive = (primitive: Primitive): Sampler["Service"] =>
  Sampler.of({ ...primitive, ...makeMethods(primitive) })
