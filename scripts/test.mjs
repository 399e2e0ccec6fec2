// `npm test`: every check of the repository, one after the other. A failing step does not hide the ones after it.
// `npm test -- docs pack` runs only the steps named.
import { spawnSync } from "node:child_process"

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

const results = []
for (const name of named.length > 0 ? named : Object.keys(steps)) {
  console.log(`\n=== ${name} (npm run ${steps[name]})`)
  const start = performance.now()
  const { status } = spawnSync("npm", ["run", "--silent", ...steps[name].split(" ")], {
    stdio: ["ignore", "inherit", "inherit"]
  })
  results.push({ name, ok: status === 0, seconds: ((performance.now() - start) / 1000).toFixed(1) })
}

console.log("\n=== summary")
for (const { name, ok, seconds } of results) console.log(`${ok ? "ok  " : "FAIL"} ${name.padEnd(11)} ${seconds} s`)
const failed = results.filter(({ ok }) => !ok).length
console.log(`steps: ${results.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
