/**
 * The prompts that a `Sampler` accepts.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"
import { fromPrompt } from "./internal/effect-ai/fromPrompt.ts"
import { invalidRequest } from "./internal/request/validateRequest.ts"
import type { InvalidRequest } from "./SamplingError.ts"
import * as SamplingMessage from "./SamplingMessage.ts"

/**
 * A prompt: a string (one user message), one message, a list that mixes both, or an `effect/ai` `Prompt`.
 *
 * @category models
 * @since 0.1.0
 */
export type Input =
  | string
  | SamplingMessage.SamplingMessage
  | ReadonlyArray<string | SamplingMessage.SamplingMessage>
  | Prompt.Prompt

/**
 * A prompt as MCP represents it: a system prompt and messages.
 *
 * @category models
 * @since 0.1.0
 */
export interface Resolved {
  readonly systemPrompt: string | undefined
  readonly messages: ReadonlyArray<SamplingMessage.SamplingMessage>
}

/**
 * Converts an {@link Input} to a system prompt and messages.
 *
 * **Details**
 *
 * Each string becomes one user message. In an `effect/ai` `Prompt`, leading system messages become the system prompt;
 * text, image and audio parts become content blocks; tool calls and results become `tool_use` and `tool_result` blocks;
 * and consecutive tool messages become one message.
 *
 * A prompt that holds something MCP sampling cannot carry (reasoning, other files, URLs, approvals, a system message
 * between others) fails with `InvalidRequest`. Only the names of files and the provider options of messages and parts
 * are dropped. Provider options under `sampling` are kept: `LanguageModelSampler` writes `_meta`, `annotations` and
 * similar fields there.
 *
 * **Example** (Mixing strings and messages)
 *
 * ```ts
 * import { SamplingMessage, SamplingPrompt } from "@effect-sampling/core"
 * import { Result } from "effect"
 *
 * const prompt = Result.getOrThrow(SamplingPrompt.resolve(["Hi", SamplingMessage.assistant("Hello"), "How are you?"]))
 * prompt.messages.map((message) => message.role) // => ["user", "assistant", "user"]
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const resolve = (input: Input): Result.Result<Resolved, InvalidRequest> => {
  if (typeof input === "string") return Result.succeed({ systemPrompt: undefined, messages: [message(input)] })
  if (Prompt.isPrompt(input)) return Result.mapError(fromPrompt(input), invalidRequest)
  // The elements are validated later, with the whole request, so the error can name the position of an invalid one.
  return Result.succeed({ systemPrompt: undefined, messages: isList(input) ? input.map(message) : [input] })
}

const message = (input: string | SamplingMessage.SamplingMessage): SamplingMessage.SamplingMessage =>
  typeof input === "string" ? SamplingMessage.user(input) : input

// Array.isArray does not narrow readonly arrays.
const isList = (input: Input): input is ReadonlyArray<string | SamplingMessage.SamplingMessage> => Array.isArray(input)
