import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { apiOf } from "../api-report.mjs"

const root = Path.resolve(import.meta.dirname, "../..")
let directory

const write = (file, ...lines) => {
  const path = Path.join(directory, file)
  Fs.mkdirSync(Path.dirname(path), { recursive: true })
  Fs.writeFileSync(path, lines.join("\n") + "\n")
}

/** A module that has a source and a declaration file. */
const writeModule = (name, ...lines) => {
  write(`packages/a/src/${name}.ts`, "export {}")
  write(`packages/a/dist/${name}.d.ts`, ...lines, `//# sourceMappingURL=${name}.d.ts.map`)
}

const open = (path) => ({
  "@effect-sampling/source": `./src/${path}.ts`,
  types: `./dist/${path}.d.ts`,
  default: `./dist/${path}.js`
})

const writeManifest = (exports, rest = {}) =>
  write("packages/a/package.json", JSON.stringify({ name: "@effect-sampling/a", exports, ...rest }))

beforeEach(() => {
  directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "api-test-"))
  writeManifest({ "./package.json": "./package.json", ".": open("index"), "./internal/*": null, "./*": open("*") })
  writeModule("index", "export * as A from \"./A.ts\";")
  writeModule("A", "/** What it is. */", "export declare const b: () => number;", "export type A = 1;")
})

afterEach(() => Fs.rmSync(directory, { recursive: true, force: true }))

const api = (...args) => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [Path.join(root, "scripts/api.mjs"), ...args], {
    cwd: directory,
    encoding: "utf8",
    env: { ...process.env, PATH: `${root}/node_modules/.bin${Path.delimiter}${process.env.PATH}` }
  })
  return { status, output: stdout + stderr }
}
const report = () => Fs.readFileSync(Path.join(directory, "packages/a/api.md"), "utf8")
const written = () => {
  const { output, status } = api()
  assert.strictEqual(status, 0, output)
  return report()
}

describe("npm run api", () => {
  it("lists each export of each public module, without comments, by name", () => {
    assert.strictEqual(
      written(),
      [
        "# @effect-sampling/a: public API",
        "",
        "Written by `npm run api` from the declarations of TypeScript. Do not edit.",
        "",
        "## @effect-sampling/a",
        "",
        "```ts",
        "export * as A from \"./A.ts\"",
        "```",
        "",
        "## @effect-sampling/a/A",
        "",
        "```ts",
        "export type A = 1",
        "",
        "export declare const b: () => number",
        "```",
        ""
      ].join("\n")
    )
    assert.deepStrictEqual(api("--check"), { status: 0, output: "1 reports of the public API are up to date\n" })
  })

  it("ignores comments, the order of declarations and blank lines", () => {
    written()
    writeModule("A", "export type A = 1; // one", "", "/** Says more. */", "export declare const b: () => number;")
    assert.strictEqual(api("--check").status, 0)
  })

  it.each([
    [
      "a signature that changed",
      ["A", "export declare const b: () => string;", "export type A = 1;"],
      /^\+ .*string$/m
    ],
    ["a name that is gone", ["A", "export type A = 1;"], /^- export declare const b: \(\) => number$/m],
    ["a new module", ["B", "export type B = 2;"], /^\+ ## @effect-sampling\/a\/B$/m]
  ])("fails at %s, with the difference and the command that accepts it", (_, [name, ...lines], difference) => {
    const before = written()
    writeModule(name, ...lines)
    const { output, status } = api("--check")
    assert.strictEqual(status, 1)
    assert.match(output, /^packages\/a\/api\.md is out of date:$/m)
    assert.match(output, difference)
    assert.match(output, /run npm run api and commit the reports/)
    assert.strictEqual(report(), before)
    written()
    assert.strictEqual(api("--check").status, 0)
  })

  it("fails without a report, without declarations and with an argument that it does not know", () => {
    assert.match(api("--check").output, /^packages\/a\/api\.md does not exist$/m)
    write("packages/a/src/B.ts", "export {}")
    const { output, status } = api("--check")
    assert.strictEqual(status, 1)
    assert.match(output, /^packages\/a\/dist\/B\.d\.ts does not exist: run npm run check/m)
    assert.match(api("--chekc").output, /^unknown argument --chekc/m)
  })

  it("leaves out modules that exports close, also below an open pattern and of a name of their own", () => {
    writeManifest({
      ".": open("index"),
      "./internal/*": null,
      "./B": null,
      "./*": open("*"),
      "./kit/*": null,
      "./kit/open/*": open("kit/open/*")
    })
    for (const name of ["B", "internal/c", "kit/D", "kit/open/E"]) writeModule(name, "export type T = 1;")
    assert.deepStrictEqual(
      [...written().matchAll(/^## (.*)$/gm)].map(([, specifier]) => specifier),
      ["@effect-sampling/a", "@effect-sampling/a/A", "@effect-sampling/a/kit/open/E"]
    )
  })

  it("leaves out private packages and declarations without a source", () => {
    writeManifest({ ".": open("index"), "./*": open("*") }, { private: true })
    assert.match(api().output, /there is no public package/)
    writeManifest({ ".": open("index"), "./*": open("*") })
    write("packages/a/dist/Old.d.ts", "export type Old = 1;")
    assert.notInclude(written(), "Old")
  })

  it("shows what stands behind an export from a closed module", () => {
    writeModule("internal/c", "import type { X } from \"x\";", "export type C = X;", "export type D = 1;")
    writeModule("internal/e", "export type E = 2;")
    writeModule("A", "export { type C } from \"./internal/c.ts\";", "export * from \"./internal/e.ts\";")
    const text = written()
    assert.include(text, "import type { X } from \"x\"\n\nexport type C = X\n\nexport type E = 2\n")
    assert.notInclude(text, "type D")
  })
})

describe("the declarations of a module", () => {
  const lines = (...source) =>
    apiOf("A.d.ts", source.join("\n"), () => undefined).declarations.map((declaration) => declaration.lines.join("\n"))

  it("hold the base of a class, and nothing else that is not exported", () => {
    const base = "declare const A_base: Base<{\n    readonly a: 1;\n}>;"
    const source = ["interface Hidden {}", base, "export declare class A extends A_base {\n}", "export {};"]
    assert.deepStrictEqual(lines(...source), [`${base}\nexport declare class A extends A_base {\n}`])
  })

  it("hold every overload, and names that are exported after their declaration", () => {
    const overloads = ["export declare function f(a: 1): 1;", "export declare function f(a: 2): 2;"]
    assert.deepStrictEqual(lines(...overloads), overloads)
    assert.deepStrictEqual(lines("declare const a: 1;", "export { a as b };"), [
      "declare const a: 1;\nexport { a as b }"
    ])
    assert.deepStrictEqual(lines("export { c } from \"./C.ts\";"), ["export { c } from \"./C.ts\""])
  })

  it("name the imports that do not tell their module by themselves", () => {
    const { imports } = apiOf(
      "A.d.ts",
      ["import * as Effect from \"effect/Effect\";", "import * as Types from \"./Sample.ts\";"].join("\n"),
      () => undefined
    )
    assert.deepStrictEqual(imports, ["import * as Types from \"./Sample.ts\";"])
  })
})
