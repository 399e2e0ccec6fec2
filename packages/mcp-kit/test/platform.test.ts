import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

describe("platform", () => {
  it("a version of Node that is too old ends with a message that names the Node it needs", () => {
    const { status, stderr } = spawnSync(process.execPath, [
      "--conditions",
      "@effect-sampling/source",
      // What Node 20 lacks.
      "--import",
      "data:text/javascript,delete Promise.withResolvers",
      fileURLToPath(new URL("../src/StdioServer.ts", import.meta.url))
    ], { encoding: "utf8" })
    assert.include(stderr, `effect-sampling needs Node 22.19 or newer. This is Node ${process.version}.`)
    assert.strictEqual(status, 1)
  })
})
