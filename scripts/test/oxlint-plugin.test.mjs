import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, describe, it } from "vitest"

const root = Path.resolve(import.meta.dirname, "../..")

/** The lines at which the rule reports. */
const lint = (rule, ...lines) => {
  const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "oxlint-plugin-test-"))
  try {
    Fs.writeFileSync(Path.join(directory, "a.ts"), lines.join("\n"))
    Fs.writeFileSync(
      Path.join(directory, ".oxlintrc.json"),
      JSON.stringify({
        plugins: [],
        jsPlugins: [Path.join(root, "scripts/oxlint-plugin.mjs")],
        categories: { correctness: "off" },
        rules: { [`sampling/${rule}`]: "error" }
      })
    )
    const { stdout } = spawnSync(Path.join(root, "node_modules/.bin/oxlint"), ["--format", "unix"], {
      cwd: directory,
      encoding: "utf8"
    })
    const reports = stdout.split("\n").filter((line) => line.startsWith("a.ts:"))
    for (const report of reports) assert.include(report, `sampling(${rule})`)
    return [...stdout.matchAll(/^a\.ts:(\d+):/gm)].map(([, line]) => Number(line))
  } finally {
    Fs.rmSync(directory, { recursive: true, force: true })
  }
}

const header = "/** What it is.\n * @since 0.1.0\n */"
const doc = "/** What it is.\n * @category models\n * @since 0.1.0\n */"

describe("oxlint-plugin", () => {
  it("doc-tags wants the tags on every kind of export", () => {
    assert.deepStrictEqual(lint("doc-tags", header, "import a from \"a\"", doc, "export const b = a"), [])
    const kinds = [
      "export const b = 1",
      "export class C {}",
      "export interface D {}",
      "export type E = 1",
      "export function f() {}",
      "export default 1",
      "export * as G from \"./G.ts\"",
      "export { b as h }"
    ]
    assert.deepStrictEqual(
      lint("doc-tags", header, "import a from \"a\"", ...kinds),
      kinds.map((_, index) => index + 5)
    )
    assert.deepStrictEqual(lint("doc-tags", header, "/** @since 0.1.0 */", "export const b = 1"), [5])
    assert.deepStrictEqual(lint("doc-tags", header, doc, "export const b = 1", "const c = 2"), [])
  })

  it("doc-tags wants them once for an overloaded function", () => {
    const overloads = ["export function f(a: string): 1", "export function f(a: number): 2", "export function f() {}"]
    assert.deepStrictEqual(lint("doc-tags", header, doc, ...overloads), [])
  })

  it("doc-tags wants a header", () => {
    assert.deepStrictEqual(lint("doc-tags", "import a from \"a\"", doc, "export const b = a"), [1])
  })

  it("namespace-index allows namespaces only", () => {
    assert.deepStrictEqual(lint("namespace-index", "export * as A from \"./A.ts\"", "export {}"), [])
    const other = [
      "export * as A from \"./B.ts\"",
      "export * from \"./A.ts\"",
      "export const a = 1",
      "import \"./A.ts\""
    ]
    assert.deepStrictEqual(lint("namespace-index", ...other), [1, 2, 3, 4])
  })

  it("no-barrel-import wants the module file", () => {
    const imports = ["import { Effect } from \"effect\"", "import { Tool } from \"effect/ai\""]
    assert.deepStrictEqual(lint("no-barrel-import", ...imports, "import * as Layer from \"effect/Layer\""), [1, 2])
  })

  it("no-selective-test sees every runner", () => {
    const tests = ["it.skip(\"a\")", "it.effect.only(\"a\")", "describe.skip(\"a\")", "layer(L).effect.skip(\"a\")"]
    assert.deepStrictEqual(lint("no-selective-test", ...tests), [1, 2, 3, 4])
    assert.deepStrictEqual(lint("no-selective-test", "it.effect(\"a\")", "it.effect.each([])", "stream.skip(1)"), [])
  })
})
