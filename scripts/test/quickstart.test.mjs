import * as Fs from "node:fs"
import { assert, describe, it } from "vitest"
import { fencesOf } from "../fences.mjs"
import { QuickstartError, stepsOf } from "../quickstart.mjs"

const call =
  "npx @modelcontextprotocol/inspector --cli node server.ts --method tools/call --tool-name greet --tool-arg \"to=Ada Lovelace\" --tool-arg \"in=English\""

const quickstart = (...lines) =>
  stepsOf(["# Title", "## Quickstart", ...lines, "## Next", "```sh", "no", "```"].join("\n"))

describe("fencesOf", () => {
  it("finds the fences of a section, up to the next heading of its level", () => {
    const page = "## A\n```sh\na\n```\n### B\n\nsaid\n\n```json title=\"b.json\"\n1\n```\n## C\n```ts\nc\n```"
    assert.deepStrictEqual(fencesOf(page).map(({ text }) => text), ["a\n", "1\n", "c\n"])
    assert.deepStrictEqual(fencesOf(page, "## A").map(({ text }) => text), ["a\n", "1\n"])
    assert.deepStrictEqual(fencesOf(page, "### B"), [
      { language: "json", title: "b.json", text: "1\n" }
    ])
    assert.throws(() => fencesOf(page, "## D"), /no heading "## D"/)
  })
})

describe("stepsOf", () => {
  it("finds commands, files and calls, in order", () => {
    const steps = quickstart(
      "```sh",
      "npm init -y",
      "npm install a",
      "```",
      "```ts no-run title=\"server.ts\"",
      "serve()",
      "```",
      "```sh",
      call,
      "```",
      "```json",
      "{ \"content\": [] }",
      "```",
      "```ts",
      "not a step",
      "```"
    )
    assert.deepStrictEqual(steps, [
      { kind: "command", line: "npm init -y" },
      { kind: "command", line: "npm install a" },
      { kind: "file", name: "server.ts", text: "serve()\n" },
      {
        kind: "call",
        command: "node",
        file: "server.ts",
        name: "greet",
        arguments: { to: "Ada Lovelace", in: "English" },
        result: { content: [] }
      }
    ])
  })

  it("refuses a call of the Inspector that it cannot make, and one without a result", () => {
    const broken = () => quickstart("```sh", "npx @modelcontextprotocol/inspector --cli node server.ts", "```")
    assert.throws(broken, QuickstartError, /not understood/)
    assert.throws(() => quickstart("```sh", call, "```"), QuickstartError, /no json fence/)
  })

  it("finds the install line, the server, its call and the check of types in README.md", () => {
    const steps = stepsOf(Fs.readFileSync("README.md", "utf8"))
    assert.deepStrictEqual(steps.map(({ kind, line, name }) => `${kind} ${line?.split(" ")[0] ?? name}`), [
      "command npm",
      "command npm",
      "command npm",
      "file server.ts",
      "call summarise",
      "command npm",
      "file tsconfig.json",
      "command npx"
    ])
  })
})
