// Runs the type tests. TSTyche needs the JavaScript API of TypeScript, which TypeScript 7 does not have: this directory is
// a workspace of its own so that TypeScript 6 comes with the lockfile, and TSTyche downloads nothing.
import { spawnSync } from "node:child_process"

const { error, status } = spawnSync("tstyche", process.argv.slice(2), {
  env: { ...process.env, TSTYCHE_TYPESCRIPT_MODULE: import.meta.resolve("typescript") },
  stdio: ["ignore", "inherit", "inherit"],
  timeout: 300_000
})
if (error !== undefined) console.log(error.message)
process.exitCode = status ?? 1
