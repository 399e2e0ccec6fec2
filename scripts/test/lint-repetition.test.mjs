import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"

const root = Path.resolve(import.meta.dirname, "../..")
let directory

beforeEach(() => {
  directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "lint-repetition-test-"))
})

afterEach(() => Fs.rmSync(directory, { recursive: true, force: true }))

/** Checks the files, given by path; the output has the runs and the summary. */
const lint = (files) => {
  for (const [file, lines] of Object.entries(files)) {
    const path = Path.join(directory, "packages", file)
    Fs.mkdirSync(Path.dirname(path), { recursive: true })
    Fs.writeFileSync(path, lines.join("\n") + "\n")
  }
  const { status, stderr, stdout } = spawnSync(process.execPath, [Path.join(root, "scripts/lint-repetition.mjs")], {
    cwd: directory,
    encoding: "utf8"
  })
  return { status, output: stdout + stderr, runs: stdout.split("\n").filter((line) => line.includes(" ~ ")) }
}

/** Statements of different shapes, with the name in each of them. */
const code = (size, name = "a") =>
  Array.from({ length: size }, (_, index) => `${name}${index}(${`"${name}", ${index}, `.repeat(index)}${name})`)

describe("lint-repetition", () => {
  it("refuses 21 equal lines of two adapters, and says where both stand", () => {
    const { output, runs, status } = lint({
      "mcp-a/src/A.ts": ["const a = 1", ...code(21)],
      "mcp-b/src/internal/B.ts": ["export const b = (c) => c", "const d = [1]", ...code(21)]
    })
    assert.strictEqual(status, 1)
    assert.deepStrictEqual(runs, [
      "packages/mcp-a/src/A.ts:2-22 ~ packages/mcp-b/src/internal/B.ts:3-23 (21 lines)"
    ])
    assert.match(output, /move it into a package that both adapters import/)
    assert.match(output, /^2 packages, 2 files, 1 runs of more than 20 lines repeat$/m)
  })

  it("allows 20 lines", () => {
    const { output, status } = lint({ "mcp-a/src/A.ts": code(20), "mcp-b/src/B.ts": code(20) })
    assert.deepStrictEqual({ status, output }, {
      status: 0,
      output: "2 packages, 2 files, 0 runs of more than 20 lines repeat\n"
    })
  })

  it("sees through other names, strings and numbers, of tests as well", () => {
    const { runs } = lint({
      "mcp-a/test/A.test.ts": ["f(`one ${1}`)", "f(/a/, null, true)", ...code(19)],
      "mcp-b/test/B.test.ts": ["g(`another ${2}`)", "g(/bc/g, null, true)", ...code(19, "other")]
    })
    assert.deepStrictEqual(runs, ["packages/mcp-a/test/A.test.ts:1-21 ~ packages/mcp-b/test/B.test.ts:1-21 (21 lines)"])
  })

  it("tells keywords apart", () => {
    const branches = (word) => Array.from({ length: 21 }, (_, index) => `${word} (a${".b".repeat(index)}) f()`)
    const files = { "mcp-a/src/A.ts": branches("if"), "mcp-b/src/B.ts": branches("while") }
    assert.deepStrictEqual(lint(files).runs, [])
  })

  it("counts neither blank lines, comments, imports nor lines of punctuation", () => {
    const [first, ...rest] = code(21)
    const ignored = ["", "// one", "/**", " * two", " */", "{", "}", "export { a } from \"a\""]
    const imports = ["import {", "  a,", "  b", "} from \"c\""]
    const files = {
      "mcp-a/src/A.ts": [...imports, first, ...ignored, ...rest],
      "mcp-b/src/B.ts": code(21)
    }
    assert.deepStrictEqual(lint(files).runs, [
      "packages/mcp-a/src/A.ts:5-33 ~ packages/mcp-b/src/B.ts:1-21 (21 lines)"
    ])
    files["mcp-a/src/A.ts"] = [...imports, first, ...ignored, ...rest.slice(1)]
    assert.deepStrictEqual(lint(files).runs, [])
  })

  it("looks at two adapters, not at one or at other packages, and not at type tests", () => {
    const files = {
      "mcp-a/src/A.ts": code(30),
      "mcp-a/src/B.ts": code(30),
      "core/src/C.ts": code(30),
      "mcp-b/typetest/D.tst.ts": code(30)
    }
    assert.deepStrictEqual(lint(files).runs, [])
  })

  it("gives a run once, as long as it is", () => {
    const calls = Array.from({ length: 40 }, () => "f(1)")
    assert.deepStrictEqual(lint({ "mcp-a/src/A.ts": calls, "mcp-b/src/B.ts": calls }).runs, [
      "packages/mcp-a/src/A.ts:1-40 ~ packages/mcp-b/src/B.ts:1-40 (40 lines)"
    ])
  })

  it("fails where there is no adapter, and at a file that it cannot read", () => {
    assert.match(lint({}).output, /there is no adapter: run this in the root directory/)
    const { output, status } = lint({ "mcp-a/src/A.ts": ["const = 1"] })
    assert.strictEqual(status, 1)
    assert.match(output, /packages\/mcp-a\/src\/A\.ts: /)
  })
})
