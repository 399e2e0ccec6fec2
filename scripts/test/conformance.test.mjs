import { assert, describe, it } from "vitest"
import { readResult } from "../conformance-result.mjs"

const success = { id: "one", status: "SUCCESS" }
const output = (passed, total, failed = 0, warnings = 0) =>
  `Test Results:\nPassed: ${passed}/${total}, ${failed} failed, ${warnings} warnings\n`

describe("the result of a conformance scenario", () => {
  it("passes when every check does", () => {
    const checks = [success, { id: "two", status: "INFO" }]
    assert.deepStrictEqual(readResult({ checks, exitCode: 0, output: output(1, 1) }), {
      passed: 1,
      total: 1,
      problems: []
    })
  })

  it.each([
    ["a failed check", { checks: [{ id: "one", status: "FAILURE" }], exitCode: 1, output: output(0, 1, 1) }],
    ["a warning", { checks: [success, { id: "two", status: "WARNING" }], exitCode: 0, output: output(1, 1, 0, 1) }],
    ["a skipped check", { checks: [success, { id: "two", status: "SKIPPED" }], exitCode: 0, output: output(1, 1) }],
    ["a skipped scenario", { checks: undefined, exitCode: 0, output: "SKIPPED: scenario 'one' is not applicable\n" }],
    ["no checks", { checks: [], exitCode: 0, output: output(0, 0) }],
    ["no summary", { checks: [success], exitCode: 0, output: "" }],
    ["an exit code", { checks: [success], exitCode: 1, output: output(1, 1) }],
    ["no file of checks", { checks: undefined, exitCode: 0, output: output(1, 1) }]
  ])("fails with %s", (_, result) => {
    assert.isNotEmpty(readResult(result).problems)
  })
})
