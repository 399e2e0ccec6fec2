/** The calls that the demo makes. */
export const calls: ReadonlyArray<{ readonly name: string; readonly arguments: Record<string, string> }> = [
  { name: "analyze_sentiment", arguments: { text: "I love this library" } },
  { name: "generate_summary", arguments: { content: "Effect is a library for programs that do not fail in silence." } },
  { name: "generate_code_example", arguments: { concept: "list comprehensions" } },
  { name: "creative_writing", arguments: { topic: "a lighthouse" } },
  { name: "technical_analysis", arguments: { data: "p99 latency rose from 80 ms to 140 ms" } },
  {
    name: "multi_turn_analysis",
    arguments: { user_query: "Which month was best?", context_data: "Jan 10, Feb 30, Mar 20" }
  },
  { name: "test_sample_fallback", arguments: {} },
  { name: "analyze_data", arguments: { data: "1, 1, 2, 3, 5, 8" } }
]
