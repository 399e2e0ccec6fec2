/**
 * The sampling request of a server: the parameters of MCP `sampling/createMessage`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ModelPreferences } from "./ModelPreferences.ts"
import { SamplingMessage } from "./SamplingMessage.ts"

const JsonObject = Schema.Record(Schema.String, Schema.Unknown)

/**
 * A tool that the model may call while it answers this request. It belongs to the request and need not be a tool of the
 * server.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ToolDefinition = Schema.Struct({
  name: Schema.String.check(Schema.isMinLength(1)),
  title: Schema.optionalKey(Schema.String),
  description: Schema.optionalKey(Schema.String),
  inputSchema: JsonObject,
  outputSchema: Schema.optionalKey(JsonObject),
  annotations: Schema.optionalKey(JsonObject),
  icons: Schema.optionalKey(Schema.Array(JsonObject)),
  execution: Schema.optionalKey(JsonObject),
  _meta: Schema.optionalKey(JsonObject)
})

/**
 * @category models
 * @since 0.1.0
 */
export type ToolDefinition = typeof ToolDefinition.Type

/**
 * Whether the model may (`auto`), must (`required`) or must not (`none`) call a tool. Without a mode it is `auto`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ToolChoice = Schema.Struct({ mode: Schema.optionalKey(Schema.Literals(["auto", "required", "none"])) })

/**
 * @category models
 * @since 0.1.0
 */
export type ToolChoice = typeof ToolChoice.Type

/**
 * The context of MCP servers that the client should add to the prompt. `thisServer` and `allServers` are deprecated
 * since 2025-11-25. On that revision and newer, they are left out of requests to a client that did not declare
 * `sampling.context`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const IncludeContext = Schema.Literals(["none", "thisServer", "allServers"])

/**
 * @category models
 * @since 0.1.0
 */
export type IncludeContext = typeof IncludeContext.Type

/**
 * A JSON Schema that the answer must fit. Sources with the capability `jsonSchema` apply it through their own JSON
 * mode; for other sources the system prompt asks for it in words. It is not part of MCP and is never sent to a client.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ResponseFormat = Schema.Struct({ name: Schema.String, schema: JsonObject })

/**
 * @category models
 * @since 0.1.0
 */
export type ResponseFormat = typeof ResponseFormat.Type

/**
 * The name that an author gives to an ask: 1 to 100 characters without `#`. It is not part of MCP's request. Where a
 * client is asked in rounds, it is the ask's key in `inputRequests`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AskKey = Schema.String.check(Schema.isPattern(/^[^#]{1,100}$/))

/**
 * The parameters of `sampling/createMessage`. The encoded form is the MCP wire JSON.
 *
 * **Details**
 *
 * - `messages`: at least one. Text blocks without text and assistant messages without content are not sent, because
 *   strict servers refuse them.
 * - `maxTokens`: a positive integer; the largest number of tokens that may be generated.
 * - `temperature`: any finite number; the sensible range depends on the model and is commonly 0 to 2.
 * - `metadata`: passed to the provider unchanged.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, `CreateMessageRequestParams`. Earlier revisions lack `tools` and `toolChoice`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SamplingRequest = Schema.Struct({
  messages: Schema.Array(SamplingMessage).check(Schema.isMinLength(1)),
  maxTokens: Schema.Int.check(Schema.isGreaterThan(0)),
  modelPreferences: Schema.optionalKey(ModelPreferences),
  systemPrompt: Schema.optionalKey(Schema.String),
  includeContext: Schema.optionalKey(IncludeContext),
  temperature: Schema.optionalKey(Schema.Finite),
  stopSequences: Schema.optionalKey(Schema.Array(Schema.String)),
  metadata: Schema.optionalKey(JsonObject),
  tools: Schema.optionalKey(Schema.Array(ToolDefinition)),
  toolChoice: Schema.optionalKey(ToolChoice),
  responseFormat: Schema.optionalKey(ResponseFormat),
  key: Schema.optionalKey(AskKey),
  _meta: Schema.optionalKey(JsonObject)
})

/**
 * @category models
 * @since 0.1.0
 */
export type SamplingRequest = typeof SamplingRequest.Type
