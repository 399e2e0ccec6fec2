/**
 * The eight tools with which FastMCP documented sampling, as one toolkit. Other files decide which model answers.
 */
import { Content, Sampler, SamplingError, SamplingMessage } from "@effect-sampling/core"
import { Effect, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

const failure = SamplingError.SamplingError

const AnalyzeSentiment = Tool.make("analyze_sentiment", {
  description: "Says whether a text is positive, negative or neutral",
  parameters: Schema.Struct({ text: Schema.String }),
  success: Schema.Struct({ text: Schema.String, sentiment: Schema.Literals(["positive", "negative", "neutral"]) }),
  failure
}).annotate(Tool.Readonly, true)

const GenerateSummary = Tool.make("generate_summary", {
  description: "Summarises a content",
  parameters: Schema.Struct({ content: Schema.String }),
  success: Schema.String,
  failure
}).annotate(Tool.Readonly, true)

const GenerateCodeExample = Tool.make("generate_code_example", {
  description: "Writes a short Python example of a concept",
  parameters: Schema.Struct({ concept: Schema.String }),
  success: Schema.String,
  failure
}).annotate(Tool.Readonly, true)

const CreativeWriting = Tool.make("creative_writing", {
  description: "Writes a creative story, with the context of this server",
  parameters: Schema.Struct({ topic: Schema.String }),
  success: Schema.String,
  failure
}).annotate(Tool.Readonly, true)

const TechnicalAnalysis = Tool.make("technical_analysis", {
  description: "Analyses data, preferably by a strong model",
  parameters: Schema.Struct({ data: Schema.String }),
  success: Schema.String,
  failure
}).annotate(Tool.Readonly, true)

const MultiTurnAnalysis = Tool.make("multi_turn_analysis", {
  description: "Answers a question about data in a conversation",
  parameters: Schema.Struct({ user_query: Schema.String, context_data: Schema.String }),
  success: Schema.String,
  failure
}).annotate(Tool.Readonly, true)

const TestSampleFallback = Tool.make("test_sample_fallback", {
  description: "Returns the content of a completion as it is",
  success: Schema.Array(Content.Content),
  toModelOutput: Content.toModelOutput,
  failure
}).annotate(Tool.Readonly, true)

const AnalyzeData = Tool.make("analyze_data", {
  description: "Analyses data",
  parameters: Schema.Struct({ data: Schema.String }),
  success: Schema.String,
  failure
}).annotate(Tool.Readonly, true)

export const EightTools = Toolkit.make(
  AnalyzeSentiment,
  GenerateSummary,
  GenerateCodeExample,
  CreativeWriting,
  TechnicalAnalysis,
  MultiTurnAnalysis,
  TestSampleFallback,
  AnalyzeData
)

export const handlers = EightTools.toLayer(Effect.gen(function*() {
  const { sample } = yield* Sampler.Sampler
  const text = (reply: Sampler.Sample): string => reply.text

  return EightTools.of({
    analyze_sentiment: ({ text }) =>
      Effect.map(
        sample(`Analyze the sentiment of this text. Answer with one word, positive, negative or neutral:\n\n${text}`),
        (reply) => ({ text, sentiment: toSentiment(reply.text) })
      ),

    generate_summary: ({ content }) =>
      Effect.map(sample(`Please provide a concise summary of this content:\n\n${content}`), text),

    generate_code_example: ({ concept }) =>
      Effect.map(
        sample(`Write a simple Python code example demonstrating '${concept}'.`, {
          systemPrompt: "You are an expert Python programmer. Provide concise, working code without explanations.",
          temperature: 0.7,
          maxTokens: 300
        }),
        (reply) => `\`\`\`python\n${reply.text}\n\`\`\``
      ),

    creative_writing: ({ topic }) =>
      Effect.map(
        sample(`Write a creative short story about ${topic}`, {
          modelPreferences: "claude-sonnet",
          includeContext: "thisServer",
          temperature: 0.9,
          maxTokens: 1000
        }),
        text
      ),

    technical_analysis: ({ data }) =>
      Effect.map(
        sample(`Provide a technical analysis of: ${data}`, {
          modelPreferences: ["claude-opus", "gpt"],
          temperature: 0.2,
          maxTokens: 800
        }),
        text
      ),

    multi_turn_analysis: ({ context_data, user_query }) =>
      Effect.map(
        sample(conversation(context_data, user_query), {
          systemPrompt: "You are a data analyst. Provide detailed insights based on the conversation.",
          temperature: 0.3
        }),
        text
      ),

    test_sample_fallback: () => Effect.map(sample("Hello, who are you?"), (reply) => reply.content),

    analyze_data: ({ data }) => Effect.map(sample(`Analyze this data: ${data}`), text)
  })
}))

const conversation = (data: string, query: string): ReadonlyArray<SamplingMessage.SamplingMessage> => [
  SamplingMessage.user(`Here's my data: ${data}`),
  SamplingMessage.assistant("I can see your data. What would you like to know about it?"),
  SamplingMessage.user(query)
]

const toSentiment = (reply: string): "positive" | "negative" | "neutral" => {
  const word = reply.trim().toLowerCase()
  return word.includes("positive") ? "positive" : word.includes("negative") ? "negative" : "neutral"
}
