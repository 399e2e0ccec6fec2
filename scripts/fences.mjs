// The fences of a Markdown file, of any language, for the checks that hold documentation against what it describes.

/** The fences under a heading, or of the whole file: the language, the `title` and the text of each. */
export const fencesOf = (markdown, heading) =>
  Array.from(
    sectionOf(markdown, heading).matchAll(/^```(\w+)(.*)\n([^]*?)^```$/gm),
    ([, language, words, text]) => ({ language, title: /title="(.+?)"/.exec(words)?.[1], text })
  )

const sectionOf = (markdown, heading) => {
  if (heading === undefined) return markdown
  const [before, section] = `\n${markdown}`.split(`\n${heading}\n`)
  if (section === undefined) throw new Error(`there is no heading "${heading}" after: ${before.slice(0, 80)}`)
  const level = heading.indexOf(" ")
  // A line in a fence may look like a heading.
  const outside = section.replaceAll(/^```.*\n[^]*?^```$/gm, (fence) => fence.replaceAll("#", "-"))
  const end = outside.search(new RegExp(`^#{1,${level}} `, "m"))
  return end === -1 ? section : section.slice(0, end)
}
