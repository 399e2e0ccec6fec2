// Runs before each test file of scripts/runtimes.mjs, in the process or thread of the tests.
const expected = process.env.EXPECTED_RUNTIME

if (process.versions[expected] === undefined) {
  throw new Error(`this test was to run on ${expected}, but it runs on ${JSON.stringify(process.versions)}`)
}
