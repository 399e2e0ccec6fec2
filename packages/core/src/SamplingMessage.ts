/**
 * A message of a sampling conversation.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Content } from "./Content.ts"

/**
 * The author of a message. MCP sampling has no system role: a system text is sent as the `systemPrompt` of the request.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Role = Schema.Literals(["user", "assistant"])

/**
 * @category models
 * @since 0.1.0
 */
export type Role = typeof Role.Type

/**
 * One message: a role, and one content block or an array of at least one. The encoded form is the MCP wire JSON.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, `SamplingMessage`. Before 2025-11-25 a message carried exactly one block;
 * `ClientSampler` splits messages for such clients.
 *
 * **Example** (Continuing a conversation)
 *
 * ```ts
 * import { SamplingMessage } from "@effect-sampling/core"
 *
 * const conversation = [
 *   SamplingMessage.user("What is the capital of France?"),
 *   SamplingMessage.assistant("Paris."),
 *   SamplingMessage.user("And of Italy?")
 * ]
 * conversation[1] // => { role: "assistant", content: { type: "text", text: "Paris." } }
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const SamplingMessage = Schema.Struct({
  role: Role,
  content: Schema.Union([Content, Schema.Array(Content).check(Schema.isMinLength(1))]).annotate({
    expected: "a content block (text, image, audio, tool_use or tool_result) or an array of them"
  }),
  _meta: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})

/**
 * @category models
 * @since 0.1.0
 */
export type SamplingMessage = typeof SamplingMessage.Type

/**
 * Builds a user message. A string becomes one text block.
 *
 * @category constructors
 * @since 0.1.0
 */
export const user = (content: string | Content | ReadonlyArray<Content>): SamplingMessage => make("user", content)

/**
 * Builds an assistant message. A string becomes one text block.
 *
 * @category constructors
 * @since 0.1.0
 */
export const assistant = (content: string | Content | ReadonlyArray<Content>): SamplingMessage =>
  make("assistant", content)

const make = (role: Role, content: string | Content | ReadonlyArray<Content>): SamplingMessage => ({
  role,
  content: typeof content === "string" ? { type: "text", text: content } : content
})
