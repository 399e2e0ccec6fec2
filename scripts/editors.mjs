// Finds the servers that the snippets of docs/editors.md start. Pure: pack.mjs starts them.
import { fencesOf } from "./fences.mjs"

/** Stands in the snippets for the path of the reader's server. */
export const pathPlaceholder = "/path/to/summariser/server.ts"

/** Reads the part of TOML that the snippets use: tables, and keys whose values are also JSON. */
const parseToml = (text) => {
  const root = {}
  let table = root
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const [, path] = /^\[(.+)\]$/.exec(line) ?? []
    const [, key, value] = /^(\w+) = (.+)$/.exec(line) ?? []
    if (path !== undefined) table = path.split(".").reduce((parent, name) => (parent[name] ??= {}), root)
    else if (key !== undefined) table[key] = JSON.parse(value)
    else throw new Error(`This line of TOML is not understood: ${line}`)
  }
  return root
}

const read = ({ language, text }) => {
  if (language === "toml") return parseToml(text).mcp_servers
  const { mcpServers, servers } = JSON.parse(text)
  return mcpServers ?? servers
}

/** The servers of all snippets: the file of the snippet, and the `command`, `args` and `env` of the server. */
export const serversOf = (markdown) =>
  fencesOf(markdown, "## Add the server")
    .filter(({ language }) => language === "json" || language === "toml")
    .flatMap((fence) =>
      Object.values(read(fence)).map(({ args, command, env }) => ({ file: fence.title, command, args, env }))
    )
