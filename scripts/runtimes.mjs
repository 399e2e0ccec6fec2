// Core runs wherever Effect does. This step
// 1. runs all of core's own tests on Bun and on Deno, with Vitest itself running there. Nothing is left out;
// 2. bundles every public module of core for browsers, refuses built-in modules of Node in the bundle, and samples with it
//    where only the Web's globals exist.
//
// `npm run test:runtimes -- deno Sampler` runs those parts only (bun, deno, browser), and those test files only.
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Path from "node:path"
import { publicModules } from "./public-modules.mjs"
import { bundle, runWithoutNode } from "./runtimes/browser.mjs"

const commands = { bun: ["bun", "--bun"], deno: ["deno", "run", "--allow-all"] }
const config = Path.join(import.meta.dirname, "runtimes/vitest.config.mjs")
const vitest = Path.join(import.meta.dirname, "../node_modules/vitest/vitest.mjs")

const limit = 600_000
const children = new Set()

/** Runs the tests on a runtime; gives the output and whether all passed. */
const test = async (name, filters) => {
  const [command, ...args] = commands[name]
  const child = spawn(command, [...args, vitest, "run", "--config", config, ...filters], {
    env: { ...process.env, EXPECTED_RUNTIME: name, DENO_NO_UPDATE_CHECK: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.timeout(limit),
    killSignal: "SIGKILL"
  })
  children.add(child)
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output += text)
  try {
    const [code] = await once(child, "close")
    return { ok: code === 0, output }
  } catch (error) {
    const missing = `${error.message}: run npm ci, which installs Bun and Deno`
    return { ok: false, output: error.code === "ENOENT" ? missing : `${output}\nno end after ${limit / 1000} s` }
  } finally {
    children.delete(child)
  }
}

const expected = JSON.stringify([{ runs: 1, value: "Ada: She wrote." }, { runs: 3, value: "Ada: She wrote." }])

const browse = async () => {
  const core = "packages/core"
  const modules = publicModules(core).map(({ subpath }) => Path.posix.join("@effect-sampling/core", subpath))
  const program = Path.join(import.meta.dirname, "runtimes/browserProgram.mjs")
  const { builtins, script } = await bundle([
    ...modules.map((specifier, index) => `export * as module${index} from "${specifier}"`),
    `export { answers } from ${JSON.stringify(program)}`
  ].join("\n"))
  if (builtins.length > 0) {
    const help =
      "Browsers have no built-in modules: use `builtin` of src/internal/platform.ts where one is only faster."
    return { ok: false, output: [...builtins, help].join("\n") }
  }
  const found = JSON.stringify(await runWithoutNode(script).answers())
  const size = `${modules.length} modules, ${Math.round(script.length / 1024)} KiB with Effect`
  return found === expected
    ? { ok: true, output: `${size}: the handler sampled on both kinds of client` }
    : { ok: false, output: `${size}: the handler gave ${found}, not ${expected}` }
}

const words = process.argv.slice(2)
const parts = {
  browser: () => browse().catch((error) => ({ ok: false, output: error.stack })),
  bun: (filters) => test("bun", filters),
  deno: (filters) => test("deno", filters)
}
const named = words.filter((word) => Object.hasOwn(parts, word))
const filters = words.filter((word) => !Object.hasOwn(parts, word))

process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL")
})
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1))

// At the same time: the tests wait for most of it. What failed is printed last.
const results = await Promise.all(
  (named.length > 0 ? named : Object.keys(parts)).map(async (name) => {
    const { ok, output } = await parts[name](filters)
    return { name, ok, output }
  })
)
for (const { name, ok, output } of results.toSorted((a, b) => Number(b.ok) - Number(a.ok))) {
  console.log(`--- ${name}: ${ok ? "ok" : "FAIL"}\n${output.trim()}\n`)
  if (!ok) process.exitCode = 1
}
