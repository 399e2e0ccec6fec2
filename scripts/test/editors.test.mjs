import * as Fs from "node:fs"
import { assert, describe, it } from "vitest"
import { pathPlaceholder, serversOf } from "../editors.mjs"

// `npm run test:pack` starts these servers.

const snippet = (...lines) => serversOf(["## Add the server", ...lines].join("\n"))

describe("serversOf", () => {
  it("reads JSON with mcpServers and with servers, and TOML", () => {
    const expected = { command: "node", args: ["a.ts"], env: { KEY: "1" } }
    const server = JSON.stringify(expected)
    for (const key of ["mcpServers", "servers"]) {
      const json = snippet("```json title=\"a.json\"", `{ "${key}": { "a": ${server} } }`, "```")
      assert.deepStrictEqual(json, [{ file: "a.json", ...expected }])
    }
    const toml = [
      "[mcp_servers.a]",
      "command = \"node\"",
      "args = [\"a.ts\"]",
      "",
      "[mcp_servers.a.env]",
      "KEY = \"1\""
    ]
    assert.deepStrictEqual(snippet("```toml title=\"a.toml\"", ...toml, "```"), [{ file: "a.toml", ...expected }])
    assert.throws(() => snippet("```toml", "command: node", "```"), /not understood: command: node/)
  })

  it("finds five editors on the page, each with the path to replace", () => {
    const servers = serversOf(Fs.readFileSync("docs/editors.md", "utf8"))
    assert.deepStrictEqual(servers.map(({ file }) => file), [
      ".mcp.json",
      "claude_desktop_config.json",
      ".cursor/mcp.json",
      ".vscode/mcp.json",
      "config.toml"
    ])
    for (const { args, command, env } of servers) {
      assert.strictEqual(command, "node")
      assert.deepStrictEqual(args, [pathPlaceholder])
      assert.deepStrictEqual(Object.keys(env), ["OPENAI_API_KEY"])
    }
  })
})
