import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, describe, it } from "vitest"

const root = Path.resolve(import.meta.dirname, "../..")

/** Whether the configuration of the repository reports the length of a function in a file of that name. */
const refuses = (file, ...lines) => {
  const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "oxlintrc-test-"))
  try {
    const config = JSON.parse(Fs.readFileSync(Path.join(root, ".oxlintrc.json"), "utf8"))
    config.jsPlugins = config.jsPlugins.map((path) => Path.join(root, path))
    config.options.typeAware = false
    Fs.writeFileSync(Path.join(directory, ".oxlintrc.json"), JSON.stringify(config))
    Fs.mkdirSync(Path.join(directory, Path.dirname(file)), { recursive: true })
    Fs.writeFileSync(Path.join(directory, file), lines.join("\n") + "\n")
    const { stdout } = spawnSync(Path.join(root, "node_modules/.bin/oxlint"), ["--format", "unix"], {
      cwd: directory,
      encoding: "utf8"
    })
    assert.include(stdout, `${file}:`, "the file is linted at all")
    return stdout.includes("max-lines-per-function")
  } finally {
    Fs.rmSync(directory, { recursive: true, force: true })
  }
}

/** A function of so many lines, blank ones and comments included, in a file with another problem. */
const functionOf = (lines) => [
  "debugger",
  "export const f = () => {",
  ...Array.from({ length: lines - 2 }, (_, index) => (index % 2 === 0 ? "" : "  // a comment")),
  "}"
]

describe("the configuration of oxlint", () => {
  const places = ["scripts/a.mjs", "bench/src/a.ts", "examples/one/src/main.ts", "fixtures/one/src/internal/a.ts"]
  it.each(places)("refuses a function of more than 60 lines in %s", (file) => {
    assert.isTrue(refuses(file, ...functionOf(61)))
    assert.isFalse(refuses(file, ...functionOf(60)))
  })

  it.each(["scripts/test/a.test.mjs", "packages/core/test/A.test.ts"])("lets the suites of %s be long", (file) => {
    assert.isFalse(refuses(file, ...functionOf(61)))
  })
})
