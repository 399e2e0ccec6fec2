// The fences of a Markdown file, of any language, for the checks that hold documentation against what it describes.

/** The fences under a heading, or of the whole file: the language, the `title` and the text of each. */
export const fencesOf = (markdown, heading) =>
  Array.from(
    sectionOf(markdown, heading).matchAll(/^```(\w+)(.*)\n([^]*?)^```$/gm),
    ([, language, words, text]) => ({ language, title: /title="(.+?)"/.exec(words)?.[1], text })
  )

/** The text between a heading and the next one of its level or above. */
export const sectionOf = (markdown, heading) => {
  if (heading === undefined) return markdown
  const [, section] = `\n${markdown}`.split(`\n${heading}\n`)
  if (section === undefined) throw new Error(`there is no heading "${heading}"`)
  const level = heading.indexOf(" ")
  // A line in a fence may look like a heading.
  const outside = section.replaceAll(/^```.*\n[^]*?^```$/gm, (fence) => fence.replaceAll("#", "-"))
  const end = outside.search(new RegExp(`^#{1,${level}} `, "m"))
  return end === -1 ? section : section.slice(0, end)
}

/** Whether whole lines of the text are what is quoted. `…` in the quote stands for any text. */
export const isQuoted = (quote, text) => {
  const pattern = quote.trimEnd().split("…").map((part) => RegExp.escape(part)).join("[^]*?")
  return new RegExp(`^${pattern}$`, "m").test(text)
}
