import { Sampler } from "@effect-sampling/core"
import * as Advice from "@effect-sampling/core/wire/Advice"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { setup } from "./support.ts"

/** An answer of a vendor: its status, and its body or the message of an error in OpenAI's format. */
type Answer = readonly [vendor: string, status: number, body: unknown]

const error = (message: string, more: Record<string, unknown> = {}) => ({ error: { message, ...more } })

const ask = ([, status, body]: Answer) =>
  Effect.gen(function*() {
    const failure = yield* Effect.flip(Sampler.sample("PROMPT"))
    const { requests } = yield* OpenAiServer.OpenAiServer
    if (failure._tag !== "ProviderError") return assert.fail(`${failure._tag}: ${failure.message}`)
    return { failure, requests: (yield* requests).length }
  }).pipe(Effect.provide(setup(OpenAiServer.raw({ status, body: JSON.stringify(body) }), { maxRetries: 2 })))

describe("context overflow in the words of vendors", () => {
  const answers: ReadonlyArray<Answer> = [
    ["Anthropic", 400, {
      type: "error",
      error: { type: "invalid_request_error", message: "prompt is too long: 210000 tokens > 200000 maximum" }
    }],
    [
      "Anthropic, with max_tokens",
      400,
      error("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", {
        type: "invalid_request_error"
      })
    ],
    ["Anthropic, in bytes", 413, error("Request exceeds the maximum size", { type: "request_too_large" })],
    ["Gemini", 400, [
      error("The input token count (1200000) exceeds the maximum number of tokens allowed (1048575).", {
        code: 400,
        status: "INVALID_ARGUMENT"
      })
    ]],
    [
      "Vertex AI",
      400,
      error("Unable to submit request because the input token count is 9000 but model only supports up to 8192.")
    ],
    ["xAI", 400, {
      code: "Client specified an invalid argument",
      error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens."
    }],
    ["Cohere", 400, {
      message:
        "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000. Try using a shorter prompt."
    }],
    ["Cohere, in another place", 400, { message: "too many tokens: size limit exceeded by 11326 tokens." }],
    [
      "Moonshot",
      400,
      error("Invalid request: Your request exceeded model token limit: 8192", { type: "invalid_request_error" })
    ],
    ["Moonshot, on its documentation page", 400, error("Input token length too long")],
    ["Hugging Face TGI", 422, {
      error:
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`",
      error_type: "validation"
    }],
    ["Hugging Face TGI, input only", 422, {
      error: "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000",
      error_type: "validation"
    }],
    ["vLLM", 400, {
      object: "error",
      message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
      type: "BadRequestError",
      param: null,
      code: 400
    }],
    ["vLLM, decoder", 400, error("The decoder prompt (length 9000) is longer than the maximum model length of 4096.")],
    ["SGLang", 400, error("The input (5000 tokens) is longer than the model's context length (4096 tokens).")],
    ["llama.cpp", 400, {
      error: {
        code: 400,
        message: "the request exceeds the available context size (4096 tokens), try increasing it",
        type: "exceed_context_size_error"
      }
    }],
    [
      "llama.cpp, batch",
      500,
      error("input is too large to process. increase the physical batch size", { code: 500, type: "server_error" })
    ],
    [
      "Groq",
      400,
      error("Please reduce the length of the messages or completion.", { code: "context_length_exceeded" })
    ],
    [
      "Groq, per minute",
      413,
      error(
        "Request too large for model `llama-3.1-8b-instant` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size and try again.",
        { type: "tokens", code: "rate_limit_exceeded" }
      )
    ],
    ["Mistral", 400, {
      object: "error",
      message: "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
      type: "invalid_request_prompt",
      code: "3051"
    }],
    [
      "DeepSeek",
      400,
      error("This model's maximum context length is 65536 tokens. However, you requested 70000 tokens", {
        type: "invalid_request_error",
        code: "invalid_request_error"
      })
    ],
    ["Bedrock", 400, { message: "Input is too long for requested model." }],
    ["Bedrock, Titan", 400, {
      message: "Malformed input request: expected maxLength: 50000, actual: 60000, please reformat your input."
    }],
    ["Bedrock, Nova", 400, {
      message: "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input."
    }],
    ["Alibaba", 400, error("Range of input length should be [1, 30720]", { code: "invalid_parameter_error" })],
    ["NVIDIA NIM", 400, error("Prompt length (9000) exceeds maximum input length (4096).")],
    ["GitHub Models", 413, error("Request body too large for gpt-4o-mini model.", { code: "tokens_limit_reached" })],
    ["MiniMax, with status 200", 200, {
      choices: null,
      base_resp: { status_code: 2013, status_msg: "invalid params, context window exceeds limit" }
    }],
    ["Ollama", 400, error("prompt too long; exceeded max context length by 100 tokens")],
    [
      "LM Studio",
      400,
      { error: "The number of tokens to keep from the initial prompt is greater than the context length" }
    ],
    ["OpenRouter, with the answer of its provider", 400, {
      error: {
        message: "Provider returned error",
        code: 400,
        metadata: { raw: `{"error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}` }
      }
    }],
    [
      "OpenAI, more than a minute's tokens",
      429,
      error(
        "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000. The input or output tokens must be reduced in order to run successfully.",
        { type: "tokens", code: "rate_limit_exceeded" }
      )
    ]
  ]
  for (const answer of answers) {
    it.live(`a prompt that does not fit, in the words of ${answer[0]}, has the reason contextLength`, () =>
      Effect.gen(function*() {
        const { failure, requests } = yield* ask(answer)
        assert.strictEqual(failure.reason, "contextLength", failure.message)
        assert.strictEqual(requests, 1)
      }))
  }

  const others: ReadonlyArray<readonly [...Answer, reason: string]> = [
    [
      "OpenAI, maxTokens",
      400,
      error("max_tokens is too large: 5000. This model supports at most 4096 completion tokens", {
        param: "max_tokens"
      }),
      "badRequest"
    ],
    [
      "Anthropic, maxTokens",
      400,
      error("max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens for claude"),
      "badRequest"
    ],
    [
      "OpenAI, a long id",
      400,
      error("Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40"),
      "badRequest"
    ]
  ]
  for (const [vendor, status, body, reason] of others) {
    it.live(`a limit other than the context (${vendor}) has the reason ${reason}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* ask([vendor, status, body])).failure.reason, reason)
      }))
  }

  it.live("a rate limit that counts tokens is a rate limit, not a prompt that does not fit", () =>
    Effect.gen(function*() {
      const text = "This request would exceed your rate limit of 40,000 input tokens per minute"
      const failure = yield* Effect.flip(Sampler.sample("Hi")).pipe(Effect.provide(setup(
        OpenAiServer.failure(429, { message: text, type: "rate_limit_error" })
      )))
      assert.propertyVal(failure, "reason", "rateLimit")
    }))
})

describe("errors that hide behind another status or form", () => {
  const answers: ReadonlyArray<readonly [...Answer, reason: string, advice: string]> = [
    [
      "LM Studio on a wrong path",
      200,
      { error: "Unexpected endpoint or method. (POST /chat/completions). Returning 200 anyway" },
      "notFound",
      "baseUrl"
    ],
    ["a status as text", 200, error("no", { code: "401" }), "auth", "apiKey"],
    ["a status as text behind a status 400", 400, error("no", { code: "401" }), "auth", "apiKey"],
    ["a status beside the error", 200, { error: "no", status: 402 }, "quota", "billing"],
    ["a code and a text without an error", 200, { code: 401, msg: "no", success: false }, "auth", "apiKey"],
    [
      "vLLM with status 200",
      200,
      { object: "error", message: "The model `x` does not exist.", code: 404 },
      "notFound",
      "model"
    ],
    [
      "OpenRouter without tools",
      404,
      error("No endpoints found that support tool use. To learn more, visit", { code: 404 }),
      "badRequest",
      "did not accept tools"
    ],
    [
      "OpenRouter without images",
      404,
      error("No endpoints found that support image input", { code: 404 }),
      "badRequest",
      "images"
    ],
    [
      "OpenRouter without the parameters",
      404,
      error("No endpoints found that can handle the requested parameters.", { code: 404 }),
      "badRequest",
      "settings of the account"
    ],
    ["OpenRouter without the model", 404, error("No endpoints found for a/b.", { code: 404 }), "notFound", "model"],
    ["OpenRouter with a wrong model", 400, error("a/b is not a valid model ID", { code: 400 }), "notFound", "model"],
    ["DeepSeek with a wrong model", 400, error("Model Not Exist"), "notFound", "model"],
    ["DeepSeek and content", 400, error("Content Exists Risk"), "contentFilter", "Change the prompt"],
    [
      "Gemini with a wrong key",
      400,
      [error("API key not valid. Please pass a valid API key.", { code: 400, status: "INVALID_ARGUMENT" })],
      "auth",
      "apiKey"
    ],
    ["xAI with a wrong key", 400, { code: "invalid", error: "Incorrect API key provided: xa***." }, "auth", "apiKey"],
    [
      "Anthropic without credit",
      400,
      error("Your credit balance is too low to access the Anthropic API.", { type: "invalid_request_error" }),
      "quota",
      "billing"
    ],
    ["xAI without credit", 403, { error: "Your newly created team doesn't have any credits yet." }, "quota", "billing"],
    ["a page that allows no POST", 405, { detail: "Method Not Allowed" }, "notFound", "baseUrl"],
    [
      "Ollama without tools",
      400,
      error("registry.ollama.ai/library/gemma does not support tools"),
      "badRequest",
      "tools"
    ]
  ]
  for (const [vendor, status, body, reason, advice] of answers) {
    it.live(`an error in another form (${vendor}) has the reason ${reason}, and is not asked again`, () =>
      Effect.gen(function*() {
        const { failure, requests } = yield* ask([vendor, status, body])
        assert.strictEqual(failure.reason, reason, failure.message)
        assert.include(`${failure.message} ${Advice.of(failure)}`, advice)
        assert.strictEqual(requests, 1)
      }))
  }

  it.live("an error with status 200 that says nothing names baseUrl", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Sampler.sample("Hi"))
      assert.propertyVal(failure, "reason", "unavailable")
      assert.include(failure.message, "its baseUrl")
    }).pipe(Effect.provide(setup(OpenAiServer.raw({ body: `{"error":"BODY"}` })))))
})

describe("a refused system prompt and refused roles", () => {
  const system = "did not accept the system prompt"
  const roles = "did not accept the roles of the messages (user and assistant must alternate)"
  const answers: ReadonlyArray<readonly [...Answer, advice: string]> = [
    ["Gemma on vLLM", 400, { object: "error", message: "System role not supported", code: 400 }, system],
    ["Gemma on llama.cpp", 500, error("Jinja Exception: System role not supported", { code: 500 }), system],
    ["Gemma on Gemini", 400, error("Developer instruction is not enabled for models/gemma-3-27b-it"), system],
    ["Ministral", 500, error("Only user, assistant and tool roles are supported, got system"), system],
    [
      "o1-mini",
      400,
      error("Unsupported value: 'messages[0].role' does not support 'system' with this model.", {
        param: "messages[0].role",
        code: "unsupported_value"
      }),
      system
    ],
    ["Bedrock", 400, { message: "This model doesn't support system messages. Try again without them." }, system],
    ["Qwen", 400, error("System message must be at the beginning."), system],
    ["Llama", 400, error("Conversation roles must alternate user/assistant/user/assistant/..."), roles],
    [
      "Mistral on llama.cpp",
      500,
      error(
        "After the optional system message, conversation roles must alternate user and assistant roles except for tool calls and results."
      ),
      roles
    ],
    [
      "Anthropic",
      400,
      error(`messages: roles must alternate between "user" and "assistant", but found multiple "user" roles in a row`),
      roles
    ],
    ["Anthropic, first message", 400, error(`messages: first message must use the "user" role`), roles],
    ["Gemini", 400, error("Please ensure that multiturn requests alternate between user and model"), roles],
    [
      "Gemini, function calls",
      400,
      error("Please ensure that function call turn comes immediately after a user turn or a function response turn."),
      roles
    ],
    ["Mistral", 400, { object: "error", message: "Unexpected role 'user' after role 'tool'", code: "3230" }, roles],
    ["Mistral, last", 400, { message: "Expected last role User or Tool for serving but got assistant" }, roles],
    ["Perplexity", 400, error("Last message must have role `user`."), roles],
    [
      "DeepSeek",
      400,
      error("deepseek-reasoner does not support successive user or assistant messages (messages[1] and messages[2])"),
      roles
    ],
    ["Bedrock, roles", 400, { message: "A conversation must start with a user message." }, roles]
  ]
  for (const [vendor, status, body, advice] of answers) {
    it.live(`a refusal of the ${advice === system ? "system prompt" : "roles"} (${vendor}) names it`, () =>
      Effect.gen(function*() {
        const { failure, requests } = yield* ask([vendor, status, body])
        assert.strictEqual(failure.reason, "badRequest")
        assert.include(failure.message, advice)
        assert.strictEqual(requests, 1)
      }))
  }

  it.live("a server that refuses system messages is named as such, and one without a systemPrompt answers", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Sampler.sample("Hi", { systemPrompt: "Be brief." }))
      assert.include(failure.message, system)
      assert.include((yield* Sampler.sample("Hi")).text, "Hi")
    }).pipe(Effect.provide(setup({ systemRole: "refused" }))))
})
