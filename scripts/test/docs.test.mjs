import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"

const root = Path.resolve(import.meta.dirname, "../..")
let directory

beforeEach(() => {
  directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "docs-test-"))
  Fs.symlinkSync(Path.join(root, "node_modules"), Path.join(directory, "node_modules"))
  Fs.writeFileSync(Path.join(directory, "package.json"), JSON.stringify({ type: "module" }))
  const compilerOptions = {
    target: "ES2022",
    module: "NodeNext",
    moduleDetection: "force",
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    allowImportingTsExtensions: true
  }
  Fs.writeFileSync(
    Path.join(directory, "tsconfig.docs.json"),
    JSON.stringify({ include: [".docs/**/*.ts"], compilerOptions })
  )
})

afterEach(() => Fs.rmSync(directory, { recursive: true, force: true }))

const run = (command, ...args) => {
  const { status, stderr, stdout } = spawnSync(command, args, {
    cwd: directory,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", PATH: `${root}/node_modules/.bin${Path.delimiter}${process.env.PATH}` }
  })
  return { status, output: stdout + stderr }
}
const docs = (...lines) => {
  Fs.writeFileSync(Path.join(directory, "README.md"), lines.join("\n"))
  return run(process.execPath, Path.join(root, "scripts/docs.mjs"))
}

describe("docs", () => {
  it("runs the examples, with top-level await and imports of many lines", () => {
    const { output, status } = docs(
      "```ts",
      "import {",
      "  join",
      "} from \"vite\"",
      "```"
    )
    assert.strictEqual(status, 1, "the import is type-checked")
    assert.match(output, /^README\.md\(3,3\): error/m)

    const ok = docs(
      "```ts",
      "import {",
      "  assert",
      "} from \"vitest\"",
      "",
      "const two = await Promise.resolve(2)",
      "assert.isNumber(two)",
      "two // => 2",
      "```"
    )
    assert.deepStrictEqual(ok, { status: 0, output: "1 examples in 1 files, 1 to run\n" })
    const tests = run("vitest", "run", "--root", ".", "--dir", ".docs")
    assert.strictEqual(tests.status, 0, tests.output)
    assert.match(tests.output, /1 passed/)
  })

  it("fails a test at the line of the source", () => {
    assert.strictEqual(docs("# Title", "", "```ts", "const one: number = 1", "one // => 2", "```").status, 0)
    const { output, status } = run("vitest", "run", "--root", ".", "--dir", ".docs")
    assert.strictEqual(status, 1)
    assert.match(output, /README\.md:3\n/)
    assert.match(output, /README\.md\/3\.example\.ts:5:/)
  })

  it("checks the types of a value and of what it is expected to be", () => {
    const { output, status } = docs("```ts", "const one: number = 1", "one // => \"1\"", "```")
    assert.strictEqual(status, 1)
    assert.match(output, /^README\.md\(3,/m)
  })

  it("checks the types of examples that do not run", () => {
    assert.match(docs("```ts no-run", "const one: string = 1", "```").output, /^README\.md\(2,7\): error TS2322/m)
    assert.match(docs("```ts no-run", "throw new Error(\"never\")", "```").output, /1 examples in 1 files, 0 to run/)
  })

  it("compares what a wrong example says with the compiler, and does not report it", () => {
    const wrong = ["```ts wrong", "const one: string = 1", "```", "", "```text"]
    const right = "error TS2322: Type 'number' is not assignable to type 'string'."
    assert.deepStrictEqual(docs(...wrong, right, "```"), { status: 0, output: "1 examples in 1 files, 0 to run\n" })
    const { output, status } = docs(...wrong, "error TS2322: Something else.", "```")
    assert.strictEqual(status, 1)
    assert.match(output, /^README\.md:1: the error that follows is not the compiler's:\nerror TS2322: Type 'number'/m)
  })

  it("lets an example import another one of the same file by its title", () => {
    const one = ["```ts title=\"one.ts\"", "export const one: number = 1", "```"]
    const two = ["```ts", "import { one } from \"./one.ts\"", "one // => 1", "```"]
    assert.deepStrictEqual(docs(...one, ...two), { status: 0, output: "2 examples in 1 files, 2 to run\n" })
    const wrong = ["```ts", "import { two } from \"./one.ts\"", "```"]
    assert.match(docs(...one, ...wrong).output, /^README\.md\(5,10\): error TS/m)
    assert.match(docs(...one.with(1, "const one: string = 1")).output, /^README\.md\(2,7\): error TS/m)
    assert.match(docs(...one, ...one).output, /^README\.md:4: another example of this file is called one\.ts$/m)
  })

  it("fails without examples", () => {
    const { output, status } = docs("# Title")
    assert.strictEqual(status, 1)
    assert.match(output, /no ```ts fence found/)
  })

  it("reports every file that it refuses", () => {
    Fs.mkdirSync(Path.join(directory, "docs"))
    Fs.writeFileSync(Path.join(directory, "docs/guide.md"), "```ts\n")
    const { output, status } = docs("", "```js", "```")
    assert.strictEqual(status, 1)
    assert.match(output, /^README\.md:2: /m)
    assert.match(output, /^docs\/guide\.md:1: /m)
  })
})
