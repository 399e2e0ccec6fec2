// Finds the ```ts fences of a Markdown file or of the JSDoc of a TypeScript file, and turns each into a module whose
// lines and columns are those of the file that it comes from. Pure: docs.mjs reads and writes.
import { parseSync } from "oxc-parser"
import { isQuoted } from "./fences.mjs"

/** The fences that are examples, and those that look like one but would not be checked. */
const languages = { ts: "example", typescript: "rename", js: "rename", javascript: "rename", mts: "rename" }

export class ExampleError extends Error {
  constructor(file, line, message) {
    super(`${file}:${line}: ${message}`)
  }
}

/**
 * The examples of a file: the line of the opening fence, the code between the fences as it stands in the file (for
 * printing or writing elsewhere), the module that checks it, whether to run it, its `title`, and, of an example that is
 * wrong, the `quote` of the compiler's error.
 */
export const examplesOf = (file, text) => {
  const lines = file.endsWith(".md") ? markdownLines(text) : jsdocLines(file, text)
  const examples = []
  let open
  for (const [index, line] of lines.entries()) {
    if (line === undefined) {
      // A JSDoc comment has ended.
      if (open !== undefined) throw new ExampleError(file, open.line, "this fence is never closed")
      continue
    }
    const fence = /^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$/.exec(line.text)
    if (open === undefined) {
      if (/^\s*>.*(```|~~~)\s*\w/.test(line.text)) {
        throw new ExampleError(file, index + 1, "a fence in a block quote is not checked: move it out")
      }
      if (fence !== null) {
        open = { line: index + 1, indent: fence[1].length, marker: fence[2], info: fence[3], body: [] }
      }
    } else if (fence !== null && fence[3] === "" && fence[2].startsWith(open.marker)) {
      const example = toExample(file, open)
      const before = examples.at(-1)
      if (before?.wrong === true && before.quote === undefined) {
        if (open.info !== "text") throw new ExampleError(file, before.line, quoteMissing)
        before.quote = open.body.map(({ text }) => text).join("\n")
      } else if (example !== undefined) examples.push(example)
      open = undefined
    } else open.body.push(line)
  }
  if (open !== undefined) throw new ExampleError(file, open.line, "this fence is never closed")
  const last = examples.at(-1)
  if (last?.wrong === true && last.quote === undefined) throw new ExampleError(file, last.line, quoteMissing)
  return examples
}

const quoteMissing = "a text fence with the compiler's error must follow this wrong example"

/** What is wrong with the quote of a wrong example, given the compiler's output for it. */
export const misquoted = ({ quote }, output) => {
  if (output === "") return "this example is marked as wrong, but compiles"
  return isQuoted(quote, output) ? undefined : `the error that follows is not the compiler's:\n${output}`
}

const markdownLines = (text) => text.split("\n").map((line) => ({ pad: 0, text: line.replace(/\r$/, "") }))

const jsdocLines = (file, text) => {
  const { comments, errors } = parseSync(file, text)
  if (errors.length > 0) throw new ExampleError(file, lineAt(text, errors[0].labels[0]?.start ?? 0), errors[0].message)
  const lines = text.split("\n").map(() => undefined)
  for (const comment of comments) {
    if (comment.type !== "Block" || !comment.value.startsWith("*")) continue
    const first = lineAt(text, comment.start) - 1
    for (const [offset, line] of comment.value.split("\n").entries()) {
      if (offset === 0) continue
      const prefix = /^\s*\* ?/.exec(line)?.[0] ?? ""
      lines[first + offset] = { pad: prefix.length, text: line.slice(prefix.length) }
    }
    // The line of the closing */ belongs to no fence.
    lines[lineAt(text, comment.end) - 1] = undefined
  }
  return lines
}

const lineAt = (text, offset) => text.slice(0, offset).split("\n").length

const toExample = (file, { body, indent, info, line }) => {
  const [language, ...words] = info.match(/\w+="[^"]*"|\S+/g) ?? [""]
  const kind = Object.hasOwn(languages, language.toLowerCase()) ? languages[language.toLowerCase()] : undefined
  if (kind === undefined) return undefined
  if (kind === "rename" || language !== "ts") {
    throw new ExampleError(file, line, `write \`\`\`ts, not \`\`\`${language}: only ts fences are checked`)
  }
  let run = true
  let wrong = false
  let title
  for (const word of words) {
    const match = /^title="(.+)"$/.exec(word)
    if (word === "no-run") run = false
    else if (word === "wrong") wrong = true
    else if (match !== null) title = match[1]
    else throw new ExampleError(file, line, `unknown word "${word}" after \`\`\`ts: use no-run, wrong or title="…"`)
  }
  const source = "\n".repeat(line) + body.map(({ pad, text }) => " ".repeat(pad) + text).join("\n") + "\n"
  return {
    file,
    line,
    run: run && !wrong,
    wrong,
    title,
    code: body.map(({ text }) => text.slice(Math.min(indent, /^\s*/.exec(text)[0].length))).join("\n") + "\n",
    module: withAssertions(file, source)
  }
}

/** Turns `x // => y` into an assertion on the same line. */
const withAssertions = (file, source) => {
  const { comments, errors, program } = parseSync("example.ts", source)
  if (errors.length > 0) {
    throw new ExampleError(file, lineAt(source, errors[0].labels[0]?.start ?? 0), errors[0].message)
  }
  const expectations = comments.filter(({ type, value }) => type === "Line" && /^\s*=>/.test(value))
  if (expectations.length === 0) return source
  const statements = assertable(program)
  let module = source
  for (const { start, value } of expectations.toReversed()) {
    const line = lineAt(source, start)
    const expected = value.replace(/^\s*=>\s*/, "").trimEnd()
    if (!isExpression(expected)) {
      throw new ExampleError(file, line, `what follows \`// =>\` must be one expression on one line, not: ${expected}`)
    }
    const before = statements.find(({ end }) => end <= start && /^[ \t]*;?[ \t]*$/.test(source.slice(end, start)))
    if (before === undefined) {
      throw new ExampleError(file, line, "`// =>` must follow an expression statement or `const name = …` on its line")
    }
    const { end, name, start: from } = before
    const actual = name ?? source.slice(from, end)
    const assertion = `docsAssert.deepStrictEqual(${actual}, (${expected}));`
    module = name === undefined
      ? module.slice(0, from) + assertion + module.slice(end)
      : `${module.slice(0, end)}; ${assertion}${module.slice(end)}`
  }
  return `import { assert as docsAssert } from "vitest"${module}`
}

const isExpression = (text) => {
  const { errors, program } = parseSync("expected.ts", `(${text}\n)`)
  return errors.length === 0 && program.body.length === 1 && program.body[0].type === "ExpressionStatement"
}

/** The statements that `// =>` may follow, wherever they stand, with the end of their code before any semicolon. */
const assertable = (root) => {
  const found = []
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (node === null || typeof node !== "object") return
    if (node.type === "ExpressionStatement") found.push({ start: node.start, end: node.expression.end })
    if (node.type === "VariableDeclaration" && node.declarations.length === 1) {
      const [{ end, id, init }] = node.declarations
      if (id.type === "Identifier" && init !== null) found.push({ start: node.start, end, name: id.name })
    }
    Object.values(node).forEach(visit)
  }
  visit(root)
  return found
}
