import { assert, describe, it } from "vitest"
import { examplesOf, misquoted } from "../examples-in-docs.mjs"

const markdown = (...lines) => examplesOf("docs/guide.md", lines.join("\n"))
const code = (...lines) => markdown("```ts", ...lines, "```")[0].module
const refused = (lines, message) => assert.throws(() => markdown(...lines), message)

describe("finding fences", () => {
  it("keeps the line and column of the file", () => {
    const source = "/**\n * Says.\n *\n * ```ts\n * const a = 1\n * ```\n *\n * @since 0.1.0\n */\nexport const a = 1\n"
    const [example] = examplesOf("packages/core/src/A.ts", source)
    assert.strictEqual(example.line, 4)
    assert.strictEqual(example.module.split("\n")[4], "   const a = 1")
    assert.strictEqual(example.code, "const a = 1\n")
  })

  it("reads nested JSDoc, and no fence outside of JSDoc", () => {
    const source = [
      "// ```ts",
      "const text = `",
      "```js",
      "`",
      "export interface A {",
      "  /**",
      "   * ```ts",
      "   * a",
      "   * ```",
      "   */",
      "  readonly a: string",
      "}"
    ].join("\n").replace("```js", "\\`\\`\\`js")
    const examples = examplesOf("A.ts", source)
    assert.deepStrictEqual(examples.map(({ code, line }) => [line, code]), [[7, "a\n"]])
  })

  it("skips fences in other languages, and what they contain", () => {
    assert.deepStrictEqual(markdown("```sh", "npm i", "```", "````md", "```ts", "a", "```", "````"), [])
  })

  it("reads indented, CRLF and tilde fences", () => {
    assert.strictEqual(markdown("1. Do:", "   ```ts", "   f(", "     1", "   )", "   ```")[0].code, "f(\n  1\n)\n")
    assert.strictEqual(examplesOf("a.md", "```ts\r\na\r\n```\r\n")[0].code, "a\n")
    assert.strictEqual(markdown("~~~ts", "a", "~~~")[0].code, "a\n")
  })

  it("reads no-run and title", () => {
    const [example] = markdown("```ts no-run title=\"my server.ts\"", "a", "```")
    assert.strictEqual(example.run, false)
    assert.strictEqual(example.title, "my server.ts")
    assert.strictEqual(markdown("```ts", "a", "```")[0].run, true)
  })

  it("reads what is wrong, and the error that is quoted after it", () => {
    const [wrong, right] = markdown(
      "```ts wrong",
      "a",
      "```",
      "",
      "text",
      "```text",
      "error TS1: …",
      "```",
      "```ts",
      "```"
    )
    assert.deepStrictEqual([wrong.wrong, wrong.run, wrong.quote], [true, false, "error TS1: …"])
    assert.deepStrictEqual([right.wrong, right.run, right.quote], [false, true, undefined])
    refused(["```ts wrong", "a", "```", "```ts", "```"], /:1: a text fence with the compiler's error must follow/)
    refused(["```ts wrong", "a", "```"], /:1: a text fence with the compiler's error must follow/)
  })

  it("compares a quote with whole lines, and takes … for any text", () => {
    const output = "error TS1: Type 'A' is not 'B'.\n  Type 'C' is not 'D'."
    assert.isUndefined(misquoted({ quote: "error TS1: Type … is not 'B'." }, output))
    assert.isUndefined(misquoted({ quote: "error TS1: …\n  Type 'C' is not 'D'." }, output))
    assert.match(misquoted({ quote: "error TS1: Type 'A'" }, output), /is not the compiler's:\nerror TS1/)
    assert.match(misquoted({ quote: "error TS1" }, ""), /compiles/)
  })

  it("refuses a fence that is never closed", () => {
    refused(["text", "```ts", "a"], /^docs\/guide\.md:2: this fence is never closed/)
    refused(["```sh", "npm i"], /:1: this fence is never closed/)
    assert.throws(() => examplesOf("A.ts", "/**\n * ```ts\n * a\n */\n/**\n * ```\n */"), /A\.ts:2: .*never closed/)
  })

  it("refuses what would silently not be checked", () => {
    refused(["```typescript", "a", "```"], /:1: write ```ts, not ```typescript/)
    refused(["```js", "a", "```"], /write ```ts/)
    refused(["```TS", "a", "```"], /write ```ts/)
    refused(["```ts norun", "a", "```"], /unknown word "norun"/)
    refused(["> ```ts", "> a", "> ```"], /block quote/)
    refused(["```ts", "const = 1", "```"], /^docs\/guide\.md:2: /)
  })
})

describe("`// =>`", () => {
  it("asserts an expression", () => {
    assert.match(code("f(1) // => 2"), /docsAssert\.deepStrictEqual\(f\(1\), \(2\)\);/)
    assert.match(code("await f(1); //=> [1, \"a\"]"), /deepStrictEqual\(await f\(1\), \(\[1, "a"\]\)\);/)
  })

  it("asserts a constant", () => {
    assert.match(code("export const a = f(1) // => 2"), /const a = f\(1\); docsAssert\.deepStrictEqual\(a, \(2\)\);/)
  })

  it("asserts a statement of many lines, and keeps the lines", () => {
    const module = code("f({", "  a: 1", "}) // => 2", "g()")
    assert.match(module, /deepStrictEqual\(f\(\{\n {2}a: 1\n\}\), \(2\)\);/)
    assert.strictEqual(module.split("\n")[4], "g()")
  })

  it("asserts inside of functions", () => {
    const module = code("Effect.gen(function*() {", "  yield* f // => 1", "})")
    assert.match(module, /docsAssert\.deepStrictEqual\(yield\* f, \(1\)\);/)
  })

  it("asserts several times", () => {
    assert.strictEqual(code("a // => 1", "b // => 2").match(/deepStrictEqual/g).length, 2)
  })

  it("leaves strings, templates and other comments alone", () => {
    const lines = ["const a = \"x // => 1\"", "const b = `", "// => 2", "`", "// then", "c() // gives => 3"]
    assert.notInclude(code(...lines), "docsAssert")
  })

  it("leaves imports of many lines where they are", () => {
    const module = code("import {", "  a,", "  b", "} from \"c\"", "", "await a(b) // => 1")
    assert.match(module, /import \{\n {2}a,\n {2}b\n\} from "c"/)
  })

  it("refuses where it would assert nothing", () => {
    refused(["```ts", "// => 1", "```"], /^docs\/guide\.md:2: `\/\/ =>` must follow/)
    refused(["```ts", "f({", "  a: 1, // => 1", "})", "```"], /:3: `\/\/ =>` must follow/)
    refused(["```ts", "const { a } = f() // => 1", "```"], /must follow/)
    refused(["```ts", "function f() {", "  return 1 // => 1", "}", "```"], /:3: .*must follow/)
  })

  it("refuses what is not an expression", () => {
    refused(["```ts", "a // => { b: 1,", "```"], /must be one expression on one line/)
    refused(["```ts", "a // => one two", "```"], /must be one expression/)
    refused(["```ts", "a // =>", "```"], /must be one expression/)
  })
})
