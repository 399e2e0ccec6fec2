// `npm test`: every check of the repository, one after the other. A failing step does not hide the ones after it, and the
// last lines of what it printed appear again at the end.
// `npm test -- docs pack` runs only the steps named.
import { spawn } from "node:child_process"
import { once } from "node:events"

const steps = {
  workspace: "lint:workspace",
  types: "check",
  api: "api -- --check",
  lint: "lint",
  effect: "lint:effect",
  dead: "lint:dead",
  repetition: "lint:repetition",
  docs: "docs",
  vitest: "test:unit",
  typetests: "test:types",
  runtimes: "test:runtimes",
  conformance: "conformance",
  pack: "test:pack"
}

const named = process.argv.slice(2)
const unknown = named.filter((name) => !Object.hasOwn(steps, name))
if (unknown.length > 0) {
  console.error(`unknown step ${unknown.join(", ")}: choose from ${Object.keys(steps).join(", ")}`)
  process.exit(2)
}

/** The number of characters that are repeated of a failing step. */
const repeated = 4000

/** Runs a step and shows what it prints. Returns whether it passed, and the end of its output. */
const run = async (name) => {
  const child = spawn("npm", ["run", "--silent", ...steps[name].split(" ")], { stdio: ["ignore", "pipe", "pipe"] })
  let end = ""
  for (const [source, target] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
    source.setEncoding("utf8").on("data", (text) => {
      target.write(text)
      end = (end + text).slice(-repeated)
    })
  }
  const [code] = await once(child, "close")
  return { ok: code === 0, end }
}

const results = []
for (const name of named.length > 0 ? named : Object.keys(steps)) {
  console.log(`\n=== ${name} (npm run ${steps[name]})`)
  const start = performance.now()
  // oxlint-disable-next-line eslint/no-await-in-loop -- the steps would disturb one another
  const { end, ok } = await run(name)
  results.push({ name, ok, end, seconds: ((performance.now() - start) / 1000).toFixed(1) })
}

for (const { end, name, ok } of results) {
  if (!ok) console.log(`\n=== the end of ${name}, which failed\n${end.trimEnd()}`)
}

console.log("\n=== summary")
for (const { name, ok, seconds } of results) console.log(`${ok ? "ok  " : "FAIL"} ${name.padEnd(11)} ${seconds} s`)
const failed = results.filter(({ ok }) => !ok).length
console.log(`steps: ${results.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
