import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "vitest"

const requirements = JSON.parse(Fs.readFileSync("conformance/requirements.json", "utf8"))

const citedIn = (file) =>
  Array.from(Fs.readFileSync(file, "utf8").matchAll(/\/\/ requirement: (\S+)/g), ([, id]) => ({ file, id }))

const tests = Fs.globSync("{packages,examples}/*/test/**/*.test.ts")

const nameOf = (file) => Path.basename(file, ".ts")

/** The parts of the suite of adapters: a test file runs each of them when it imports it. */
const parts = Fs.globSync("fixtures/mcp-suite/src/*.ts").map((file) => ({
  file,
  runBy: tests.filter((test) => Fs.readFileSync(test, "utf8").includes(`"@effect-sampling/mcp-suite/${nameOf(file)}"`))
})).filter(({ file }) => citedIn(file).length > 0)

const cited = [...tests, ...parts.map(({ file }) => file)].flatMap(citedIn)

describe("requirements of the specification", () => {
  it("each have an id of their own, words and a page", () => {
    assert.strictEqual(new Set(requirements.map(({ id }) => id)).size, requirements.length)
    for (const { requirement, specification } of requirements) {
      assert.match(requirement, /^\S.+\.$/)
      assert.match(specification, /^https:\/\/modelcontextprotocol\.io\/specification\/\d{4}-\d\d-\d\d\//)
    }
  })

  for (const { id } of requirements) {
    it(`${id} is held up by a test`, () => {
      assert.isTrue(cited.some((citation) => citation.id === id))
    })
  }

  it("are held up by parts of the suite that test files run", () => {
    assert.isNotEmpty(parts)
    assert.deepStrictEqual(parts.filter(({ runBy }) => runBy.length === 0), [])
  })

  it("are what the comments of tests name", () => {
    const known = new Set(requirements.map(({ id }) => id))
    assert.deepStrictEqual(cited.filter(({ id }) => !known.has(id)), [])
  })
})
