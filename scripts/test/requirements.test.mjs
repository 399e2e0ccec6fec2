import * as Fs from "node:fs"
import { assert, describe, it } from "vitest"

const requirements = JSON.parse(Fs.readFileSync("conformance/requirements.json", "utf8"))

const cited = Fs.globSync("{packages,examples}/*/test/**/*.test.ts").flatMap((file) =>
  Array.from(Fs.readFileSync(file, "utf8").matchAll(/\/\/ requirement: (\S+)/g), ([, id]) => ({ file, id }))
)

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

  it("are what the comments of tests name", () => {
    const known = new Set(requirements.map(({ id }) => id))
    assert.deepStrictEqual(cited.filter(({ id }) => !known.has(id)), [])
  })
})
