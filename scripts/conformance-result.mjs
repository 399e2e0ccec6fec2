// What the official conformance suite says about one scenario, read strictly.

const summary = /Passed: (\d+)\/(\d+), (\d+) failed, (\d+) warnings/
// What is only reported.
const neutral = new Set(["INFO"])

/** Reads the exit code, the output and the checks (undefined where none were written) of one scenario. */
export const readResult = ({ checks, exitCode, output }) => {
  const [, passed = 0, total = 0, failed = 0, warnings = 0] = summary.exec(output)?.map(Number) ?? []
  const skipped = /^SKIPPED: (.*)$/m.exec(output)?.[1]
  const bad = (checks ?? []).filter(({ status }) => status !== "SUCCESS" && !neutral.has(status))
  const problems = [
    ...skipped === undefined ? [] : [`skipped: ${skipped}`],
    ...skipped === undefined && !summary.test(output) ? ["there is no summary"] : [],
    ...skipped === undefined && total === 0 ? ["no check ran"] : [],
    ...passed < total ? [`${passed} of ${total} checks passed`] : [],
    ...failed > 0 ? [`${failed} failed`] : [],
    ...warnings > 0 ? [`${warnings} warnings`] : [],
    ...exitCode === 0 ? [] : [`exit code ${exitCode}`],
    ...skipped === undefined && checks === undefined ? ["no checks were written"] : [],
    ...bad.map(({ errorMessage, id, status }) => `${status} ${id}${errorMessage ? `: ${errorMessage}` : ""}`)
  ]
  return { passed, total, problems }
}
