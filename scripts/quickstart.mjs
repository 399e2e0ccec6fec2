// Finds the steps of the quickstart of README.md. Pure: pack.mjs takes the steps as they stand.
//
// A fence with a title is a file. An sh fence holds commands, each on one line. A call of a tool with the MCP Inspector is
// a step of its own, whose result stands in the json fence after it.
import { fencesOf } from "./fences.mjs"

export class QuickstartError extends Error {}

const inspector =
  /^npx @modelcontextprotocol\/inspector --cli (\S+) (\S+) --method tools\/call --tool-name (\S+)((?: --tool-arg "[^"]*")*)$/

const toCall = (line, result) => {
  const [, command, file, name, options] = inspector.exec(line) ?? []
  if (command === undefined) throw new QuickstartError(`this call of the Inspector is not understood: ${line}`)
  if (result?.language !== "json") throw new QuickstartError(`no json fence with the result follows: ${line}`)
  const pairs = Array.from(options.matchAll(/ --tool-arg "([^"=]+)=([^"]*)"/g), ([, key, value]) => [key, value])
  return { kind: "call", command, file, name, arguments: Object.fromEntries(pairs), result: JSON.parse(result.text) }
}

/** The steps of the section `## Quickstart`: files to write, commands to run, and calls of tools with their results. */
export const stepsOf = (markdown) => {
  const fences = fencesOf(markdown, "## Quickstart")
  return fences.flatMap(({ language, text, title }, index) => {
    if (title !== undefined) return [{ kind: "file", name: title, text }]
    if (language !== "sh") return []
    return text.trim().split("\n").map((line) =>
      line.startsWith("npx @modelcontextprotocol/inspector")
        ? toCall(line, fences[index + 1])
        : { kind: "command", line }
    )
  })
}
