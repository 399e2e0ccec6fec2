// The diagnostics of the Effect language service, strict, for the source of every package and for all other code.
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"

const projects = [...Fs.globSync("packages/*/tsconfig.json").toSorted(), "tsconfig.test.json"]
let failed = false
for (const project of projects) {
  const { status } = spawnSync(
    "effect-tsgo",
    ["diagnostics", "--project", project, "--format", "text", "--strict"],
    { stdio: "inherit" }
  )
  if (status !== 0) {
    console.log(`${project} has Effect diagnostics`)
    failed = true
  }
}
process.exitCode = failed ? 1 : 0
