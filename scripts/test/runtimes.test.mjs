import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { bundle, runWithoutNode } from "../runtimes/browser.mjs"

const root = Path.resolve(import.meta.dirname, "../..")
let directory

beforeEach(() => {
  directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "runtimes-test-"))
  Fs.symlinkSync(Path.join(root, "node_modules"), Path.join(directory, "node_modules"))
  Fs.writeFileSync(Path.join(directory, "package.json"), JSON.stringify({ type: "module" }))
})

afterEach(() => Fs.rmSync(directory, { recursive: true, force: true }))

/** Runs one test of core on a runtime. */
const run = (runtime, body, env = {}) => {
  const tests = Path.join(directory, "packages/core/test")
  Fs.mkdirSync(tests, { recursive: true })
  Fs.writeFileSync(
    Path.join(tests, "A.test.ts"),
    `import { assert, it } from "@effect/vitest"\nimport { Effect } from "effect"\n` +
      `import { Sampler } from "@effect-sampling/core"\nit.effect("a test", () => Effect.sync(() => { ${body} }))\n`
  )
  const { status, stderr, stdout } = spawnSync(process.execPath, [Path.join(root, "scripts/runtimes.mjs"), runtime], {
    cwd: directory,
    encoding: "utf8",
    env: {
      ...process.env,
      NO_COLOR: "1",
      PATH: `${root}/node_modules/.bin${Path.delimiter}${process.env.PATH}`,
      ...env
    }
  })
  return { status, output: stdout + stderr }
}

describe("runtimes", () => {
  it.each([["bun", "Bun"], ["deno", "Deno"]])("runs the tests of core on %s, from source", (runtime, global) => {
    const source = "assert.isFunction(Sampler.sample)"
    const passed = run(runtime, `assert.isDefined(Reflect.get(globalThis, "${global}")); ${source}`)
    assert.strictEqual(passed.status, 0, passed.output)
    assert.match(passed.output, new RegExp(`^--- ${runtime}: ok$[^]*Tests +1 passed`, "m"))
    const failed = run(runtime, "assert.strictEqual(1, 2)")
    assert.strictEqual(failed.status, 1)
    assert.match(failed.output, new RegExp(`^--- ${runtime}: FAIL$[^]*expected 1 to equal 2`, "m"))
  })

  it("fails at an error that no test sees", () => {
    const { output, status } = run("bun", "setTimeout(() => { throw new Error(\"too late\") })")
    assert.strictEqual(status, 1)
    assert.match(output, /too late/)
  })

  it("fails where the tests would run on Node, and where the runtime is missing", () => {
    const fake = Path.join(directory, "bin")
    Fs.mkdirSync(fake)
    Fs.writeFileSync(Path.join(fake, "bun"), `#!/bin/sh\nshift\nexec "${process.execPath}" "$@"\n`, { mode: 0o755 })
    const { output, status } = run("bun", "", { PATH: `${fake}${Path.delimiter}${process.env.PATH}` })
    assert.strictEqual(status, 1)
    assert.match(output, /this test was to run on bun, but it runs on/)
    assert.match(run("bun", "", { PATH: directory }).output, /bun ENOENT: run npm ci/)
  })
})

describe("a bundle for browsers", () => {
  it("tells which module imports a built-in module of Node, also when nothing uses it", async () => {
    Fs.writeFileSync(Path.join(directory, "a.mjs"), "import \"fs\"\nexport const a = () => import(\"node:zlib\")\n")
    const { builtins } = await bundle(`export { a } from ${JSON.stringify(Path.join(directory, "a.mjs"))}`)
    assert.sameMembers(
      builtins.map((text) => text.replace(/^.*\//, "")),
      ["a.mjs imports fs", "a.mjs imports node:zlib"]
    )
  })

  it("runs without the globals of Node", async () => {
    const names = ["process", "Buffer", "global", "require", "setImmediate", "Bun", "Deno"]
    const { builtins, script } = await bundle(
      `export const found = ${JSON.stringify(names)}.filter((name) => globalThis[name] !== undefined)\n` +
        "export const text = new TextDecoder().decode(new TextEncoder().encode(\"é\"))\n" +
        "export const timer = () => typeof setTimeout(() => {}, 0)\n" +
        "export const environment = () => process.env\n"
    )
    assert.deepStrictEqual(builtins, [])
    const { environment, found, text, timer } = runWithoutNode(script)
    assert.deepStrictEqual([...found], [])
    assert.strictEqual(text, "é")
    assert.strictEqual(timer(), "number")
    assert.throws(environment, /process is not defined/)
  })
})
