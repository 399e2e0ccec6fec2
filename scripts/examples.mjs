// Runs every examples/*/src/main.ts as a person would, from source. An example asserts its own outcome.
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"

const seconds = 60
const failed = []
const directories = Fs.globSync("examples/*/package.json").map((file) => file.replace(/.package\.json$/, "")).toSorted()
for (const directory of directories) {
  const main = `${directory}/src/main.ts`
  const start = performance.now()
  const { error, status, stderr, stdout } = Fs.existsSync(main)
    ? spawnSync(process.execPath, ["--conditions=@effect-sampling/source", main], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: seconds * 1000
    })
    : { error: new Error(`${main} does not exist`), status: null, stderr: "", stdout: "" }
  const took = `${((performance.now() - start) / 1000).toFixed(1)} s`
  if (status === 0) console.log(`ok   ${directory} ${took}`)
  else {
    const reason = error?.code === "ETIMEDOUT" ? `did not end within ${seconds} s` : error?.message ?? `exit ${status}`
    console.log(`FAIL ${directory} ${took}: ${reason}\n${stdout}${stderr}`)
    failed.push(directory)
  }
}
console.log(`${directories.length} examples, ${failed.length} failed`)
process.exitCode = failed.length === 0 ? 0 : 1
