/**
 * The scripted model that stands in for a real one, at the client and behind the local OpenAI-compatible server. Its
 * answers say that they are scripted.
 */

export const scriptedReply = (prompt: string): string =>
  /sentiment/i.test(prompt)
    ? "Positive"
    : /python code/i.test(prompt)
    ? "# scripted model\nprint([n * n for n in range(5)])"
    : `[scripted model] about "${prompt.split("\n").at(-1)!.slice(0, 40)}"`
