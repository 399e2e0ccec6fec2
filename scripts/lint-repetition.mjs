// Finds code that stands in two adapters: runs of more than 20 lines that are equal, or that differ only in names, strings
// and numbers. What several adapters need belongs into a package that they share. Blank lines, comments, imports and lines
// of punctuation alone do not count, and a line broken otherwise is another line.
//
// Type tests may repeat: each pins the public types of its own package, which a shared file could not name. So may the
// description of an adapter for the suite (`test/fixtures/adapter.ts`): it is data, a list that names the same members of
// another SDK. Data files (`.json`) are not code.
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parseSync } from "oxc-parser"

const longest = 20
const patterns = ["packages/mcp-*/{src,test}/**/*.ts"]
const descriptions = "packages/mcp-*/test/fixtures/adapter.ts"

const keywords = new Set(
  ("as async await break case catch class const continue declare default delete do else export extends finally for " +
    "from function if implements import in infer instanceof interface is keyof let new of readonly return satisfies " +
    "static super switch this throw try type typeof var void while yield").split(" ")
)

/** The parts of a file that a shape does not show, with what stands for them. */
const hiddenParts = (file, text) => {
  const { comments, errors, program } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`)
  const parts = comments.map(({ end, start }) => ({ start, end, placeholder: "" }))
  const visit = (node) => {
    if (node === null || typeof node !== "object") return
    if (Array.isArray(node)) return node.forEach(visit)
    const { end, start, type } = node
    const isReexport = /^Export(All|Named)Declaration$/.test(type) && (node.source ?? null) !== null
    if (type === "ImportDeclaration" || isReexport) parts.push({ start, end, placeholder: "" })
    else if (type === "TemplateElement") parts.push({ start, end, placeholder: "0" })
    else if (type === "Literal") {
      if (typeof node.value !== "boolean" && node.value !== null) parts.push({ start, end, placeholder: "0" })
    } else Object.values(node).forEach(visit)
  }
  visit(program.body)
  return parts.toSorted((a, b) => b.start - a.start)
}

/** The lines that count: the number of each, and its shape, in which names, strings and numbers are placeholders. */
const shapesOf = (file, text) => {
  let shown = text
  for (const { end, placeholder, start } of hiddenParts(file, text)) {
    // The lines stay, also those within a comment or a template.
    const breaks = shown.slice(start, end).replaceAll(/[^\n]/g, "")
    shown = shown.slice(0, start) + placeholder + breaks + shown.slice(end)
  }
  return shown.split("\n").flatMap((line, index) => {
    const shape = line.trim().replaceAll(/[\w$]+/g, (word) => keywords.has(word) ? word : "x")
    return /\w/.test(shape) ? [{ line: index + 1, shape }] : []
  })
}

const packageOf = (file) => file.split("/")[1]

/** Where each run of `longest + 1` shapes begins. */
const beginningsOf = (files) => {
  const beginnings = new Map()
  for (const file of files) {
    for (let index = 0; index + longest < file.shapes.length; index++) {
      const key = file.shapes.slice(index, index + longest + 1).map(({ shape }) => shape).join("\n")
      if (!beginnings.has(key)) beginnings.set(key, [])
      beginnings.get(key).push({ file, index })
    }
  }
  return [...beginnings.values()]
}

const isEqual = (one, other, offset) => {
  const [a, b] = [one, other].map(({ file, index }) => file.shapes[index + offset]?.shape)
  return a !== undefined && a === b
}

/** The run that begins at two places, unless it began before. */
const runAt = (one, other) => {
  if (isEqual(one, other, -1)) return []
  let size = longest + 1
  while (isEqual(one, other, size)) size++
  return [{ one, other, size }]
}

const rangeOf = ({ file, index }, size) => ({
  path: file.path,
  first: file.shapes[index].line,
  last: file.shapes[index + size - 1].line
})

/** Every run between two packages, the longest first; a run that lies within another one is left out. */
const repetitions = (files) => {
  const runs = beginningsOf(files).flatMap((places) =>
    places.flatMap((one, index) =>
      places.slice(index + 1)
        .filter((other) => packageOf(one.file.path) !== packageOf(other.file.path))
        .flatMap((other) => runAt(one, other))
    )
  ).toSorted((a, b) => b.size - a.size)
  const reported = []
  for (const { one, other, size } of runs) {
    const [a, b] = [rangeOf(one, size), rangeOf(other, size)]
    const holds = (outer, inner) => outer.path === inner.path && outer.first <= inner.first && inner.last <= outer.last
    if (reported.some((each) => holds(each.a, a) && packageOf(each.b.path) === packageOf(b.path))) continue
    reported.push({ a, b, size })
  }
  return reported
}

const paths = patterns.flatMap((pattern) => Fs.globSync(pattern, { exclude: [descriptions] }))
  .map((path) => path.replaceAll(Path.sep, "/"))
const files = paths.toSorted().map((path) => ({ path, shapes: shapesOf(path, Fs.readFileSync(path, "utf8")) }))
const found = repetitions(files)
const show = ({ first, last, path }) => `${path}:${first}-${last}`
for (const { a, b, size } of found) console.log(`${show(a)} ~ ${show(b)} (${size} lines)`)
const packages = new Set(files.map(({ path }) => packageOf(path))).size
if (found.length > 0) {
  console.log(`Write once what stands twice: move it into a package that both adapters import.`)
}
console.log(`${packages} packages, ${files.length} files, ${found.length} runs of more than ${longest} lines repeat`)
if (files.length === 0) console.log("there is no adapter: run this in the root directory")
process.exitCode = files.length === 0 || found.length > 0 ? 1 : 0
