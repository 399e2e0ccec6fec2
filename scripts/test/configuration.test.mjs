import { ClientConnection, Development, Rounds, Telemetry } from "@effect-sampling/core"
import { OpenAiSampler } from "@effect-sampling/openai"
import { Context, Duration } from "effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parseSync } from "oxc-parser"
import { assert, describe, it } from "vitest"
import { sectionOf } from "../fences.mjs"

const page = Fs.readFileSync("docs/configuration.md", "utf8")
const sources = Fs.globSync("packages/*/src/**/*.ts").map((file) => ({ file, text: Fs.readFileSync(file, "utf8") }))

/** The first and third cells of the rows of a table. */
const rowsOf = (text) =>
  Array.from(
    text.matchAll(/^\| `(\S+?)` *\|(.*)\|$/gm),
    ([, name, cells]) => [name, cells.split("|").map((cell) => cell.trim())]
  )

/** The string literals of a file that are written like environment variables. */
const variablesOf = ({ file, text }) => {
  const found = []
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (node === null || typeof node !== "object") return
    if (node.type === "Literal" && /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(node.value)) found.push(node.value)
    Object.values(node).forEach(visit)
  }
  visit(parseSync(file, text).program)
  return found
}

describe("docs/configuration.md", () => {
  it("lists the environment variables that the packages read, and no others", () => {
    const read = new Set(sources.flatMap(variablesOf))
    assert.isAbove(read.size, 5)
    const listed = rowsOf(page).map(([name]) => name).filter((name) => /^[A-Z_]+$/.test(name))
    assert.sameMembers(listed, Array.from(read))
    for (const { file, text } of sources) assert.notMatch(text, /\bprocess\.env\b|\bDeno\.env\b/, file)
  })

  it("names Layers that read each variable", () => {
    for (const [variable, [layers]] of rowsOf(page).filter(([name]) => /^[A-Z_]+$/.test(name))) {
      const [, module, name] = /^`(\w+)\.(\w+)`/.exec(layers)
      const file = `${module}.ts`
      const { text } = sources.find((source) => Path.basename(source.file) === file)
      assert.include(text, `export const ${name}`, variable)
    }
  })

  it("states the default of the model", () => {
    const [, [, model]] = rowsOf(page).find(([name]) => name === "OPENAI_MODEL")
    assert.strictEqual(model, `\`${OpenAiSampler.defaultModel}\``)
  })

  it("lists the references that are settings, with their defaults", () => {
    const settings = rowsOf(sectionOf(page, "## Settings in code")).map(([name]) => name)
    const references = sources
      .filter(({ file }) => !file.includes("/internal/"))
      .flatMap(({ file, text }) =>
        Array.from(
          text.matchAll(/^export const (\w+)(?:: .+?)? = Context\.Reference</gm),
          ([, name]) => `${Path.basename(file, ".ts")}.${name}`
        )
      )
    // The first two come with a request, and the others are annotations of tools.
    const others = [
      "ClientConnection.ClientConnection",
      "CurrentRequest.CurrentRequest",
      "Client.Requires",
      "ToolLoop.Sequential"
    ]
    assert.sameMembers(settings.concat(others), references)

    const defaults = Object.fromEntries(rowsOf(page).map(([name, [cell]]) => [name, cell]))
    const actual = (reference) => Context.get(Context.empty(), reference)
    assert.strictEqual(
      defaults["ClientConnection.AskTimeout"],
      Duration.format(actual(ClientConnection.AskTimeout)).replace("m", " minutes")
    )
    assert.strictEqual(defaults["Rounds.MaxRounds"], String(actual(Rounds.MaxRounds)))
    assert.strictEqual(defaults["Rounds.SettleTime"], `${Duration.toMillis(actual(Rounds.SettleTime))} ms`)
    assert.strictEqual(defaults["Development.ShowDefects"], String(actual(Development.ShowDefects)))
    assert.strictEqual(defaults["Telemetry.CaptureContent"], String(actual(Telemetry.CaptureContent)))
  })
})
