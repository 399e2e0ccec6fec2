// Runs the type tests. TSTyche needs the JavaScript API of TypeScript, which TypeScript 7 does not have: this directory is
// a workspace of its own so that TypeScript 6 comes with the lockfile, and TSTyche downloads nothing.
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"

if (Fs.globSync("packages/*/typetest/**/*.tst.ts").length === 0) console.log("no type tests yet")
else {
  const { error, status } = spawnSync("tstyche", process.argv.slice(2), {
    env: { ...process.env, TSTYCHE_TYPESCRIPT_MODULE: import.meta.resolve("typescript") },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: 300_000
  })
  if (error !== undefined) console.log(error.message)
  process.exitCode = status ?? 1
}
