/**
 * The response to a sampling request: the MCP result, and the source that answered.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Content } from "./Content.ts"
import { SamplingError } from "./SamplingError.ts"
import { Role } from "./SamplingMessage.ts"

/**
 * The result of `sampling/createMessage`. The encoded form is the MCP wire JSON.
 *
 * `stopReason` is `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, or any other string that the provider uses. It may
 * be absent. In the response of a `Sampler`, the known words of vendors and clients are replaced by those of MCP, or by
 * `contentFilter`, `refusal` and `pause`: `MAX_TOKENS` and `length` become `maxTokens`.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, `CreateMessageResult`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CreateMessageResult = Schema.Struct({
  role: Role,
  content: Schema.Union([Content, Schema.Array(Content)]).annotate({
    expected: "a content block (text, image, audio, tool_use or tool_result) or an array of them"
  }),
  model: Schema.String,
  stopReason: Schema.optionalKey(Schema.String),
  _meta: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})

/**
 * @category models
 * @since 0.1.0
 */
export type CreateMessageResult = typeof CreateMessageResult.Type

/**
 * The source that answered: the connected client's model, a provider that the server configured, or the host's own
 * model. `name` is the name of the client or of the provider.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Source = Schema.Struct({
  kind: Schema.Literals(["client", "provider", "host"]),
  name: Schema.String
})

/**
 * @category models
 * @since 0.1.0
 */
export type Source = typeof Source.Type

/**
 * The number of tokens used, if the source reports it. Clients do not report it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Usage = Schema.Struct({
  inputTokens: Schema.optionalKey(Schema.Natural),
  outputTokens: Schema.optionalKey(Schema.Natural)
})

/**
 * @category models
 * @since 0.1.0
 */
export type Usage = typeof Usage.Type

/**
 * A {@link CreateMessageResult} and the source that it came from.
 *
 * `passedOver` holds the errors of the sources that were tried before this one, in order. It is empty when the first
 * source answered.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SamplingResponse = Schema.Struct({
  ...CreateMessageResult.fields,
  source: Source,
  usage: Schema.optionalKey(Usage),
  passedOver: Schema.Array(SamplingError)
})

/**
 * @category models
 * @since 0.1.0
 */
export type SamplingResponse = typeof SamplingResponse.Type
