// Lists what a module exports, from its declaration file. Pure: api.mjs reads and writes.
import { parseSync } from "oxc-parser"

/** The text without its comments, with blanks in their place, so that offsets stay. */
const withoutComments = (text, comments) =>
  comments.reduceRight(
    (rest, { end, start }) => rest.slice(0, start) + rest.slice(start, end).replaceAll(/[^\n]/g, " ") + rest.slice(end),
    text
  )

/** The source of a node on as few lines as TypeScript gave it, without blank lines and blanks at the ends of lines. */
const printed = (text, { end, start }) =>
  text.slice(start, end).split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").join("\n")

const nameOf = (node) => (node.type === "Literal" ? JSON.stringify(node.value) : node.name)

/** The same order on every machine, whatever its language. */
const compare = (a, b) => (a < b ? -1 : Number(a > b))

/** The names that a declaration gives, for example one for each variable of `const a: 1, b: 2`. */
const declaredNames = (declaration) =>
  declaration.type === "VariableDeclaration"
    ? declaration.declarations.map(({ id }) => nameOf(id))
    : [nameOf(declaration.id)]

/** The import of a name that the path of its module does not tell: `Effect` of `effect/Effect` is left out. */
const importsOf = (text, statement) => {
  const path = statement.source.value
  const own = path.split("/").at(-1).replace(/\.[a-z]+$/, "")
  const isPlain = ({ local, type }) => type === "ImportNamespaceSpecifier" && local.name === own
  return statement.specifiers.every(isPlain) ? [] : [printed(text, statement)]
}

/** A class that TypeScript declares in two parts is one: the constant that it extends stands with it. */
const withBase = (text, bases, declaration) => {
  const base = declaration.superClass?.type === "Identifier" ? bases.get(declaration.superClass.name) : undefined
  return base === undefined ? [] : [printed(text, base)]
}

/**
 * The declarations of a module, ordered by name, and the imports that they need, as TypeScript: `{ imports,
 * declarations }`. `read` gives the declarations of a module that this one exports from and that is not public itself;
 * it gives undefined for a public module, which has a list of its own.
 */
export const apiOf = (file, source, read) => {
  const { comments, errors, program } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`)
  const text = withoutComments(source, comments)
  const bases = new Map(
    program.body.flatMap((statement) =>
      statement.type === "VariableDeclaration"
        ? statement.declarations.map(({ id }) => [nameOf(id), statement])
        : []
    )
  )
  const locals = new Map()
  for (const statement of program.body) {
    const declaration = statement.declaration ?? statement
    if (declaration.id === undefined && declaration.declarations === undefined) continue
    for (const name of declaredNames(declaration)) locals.set(name, [...locals.get(name) ?? [], statement])
  }
  const declare = (statement) => [
    ...withBase(text, bases, statement.declaration ?? statement),
    printed(text, statement)
  ]
  const imports = program.body.flatMap((each) => (each.type === "ImportDeclaration" ? importsOf(text, each) : []))
  const found = program.body.flatMap((statement) => exportsOf({ declare, file, locals, read, statement, text }))
  const named = found.filter(({ imports: others }) => others === undefined)
  return {
    imports: [...new Set([...imports, ...found.flatMap((each) => each.imports ?? [])])].toSorted(compare),
    declarations: named.toSorted((a, b) => compare(a.name, b.name))
  }
}

/** What one statement exports: `{ name, lines }` for each name, and `{ imports }` for those of a module behind it. */
const exportsOf = ({ declare, file, locals, read, statement, text }) => {
  switch (statement.type) {
    case "ExportDefaultDeclaration":
    case "TSExportAssignment":
      return [{ name: "default", lines: declare(statement) }]
    case "ExportAllDeclaration": {
      const name = statement.exported === null ? "*" : nameOf(statement.exported)
      const behind = statement.exported === null ? read(file, statement.source.value) : undefined
      return behind === undefined ? [{ name, lines: [printed(text, statement)] }] : all(behind)
    }
    case "ExportNamedDeclaration":
      if (statement.declaration !== null) {
        return [{ name: declaredNames(statement.declaration).join(", "), lines: declare(statement) }]
      }
      return statement.specifiers.flatMap((specifier) => {
        const [from, name] = [nameOf(specifier.local), nameOf(specifier.exported)]
        const line = `export { ${from === name ? name : `${from} as ${name}`} }`
        if (statement.source === null) {
          return [{ name, lines: [...(locals.get(from) ?? []).flatMap(declare), line] }]
        }
        const behind = read(file, statement.source.value)
        const source = ` from ${JSON.stringify(statement.source.value)}`
        if (behind === undefined) return [{ name, lines: [line + source] }]
        const lines = behind.declarations.filter((each) => each.name === from).flatMap((each) => each.lines)
        return [{ name, lines: from === name ? lines : [...lines, line] }, { imports: behind.imports }]
      })
    default:
      return []
  }
}

const all = ({ declarations, imports }) => [...declarations, { imports }]

/** The report of a package: for each public module its name, and its declarations in a fence. */
export const reportOf = (name, modules) =>
  [
    `# ${name}: public API`,
    "Written by `npm run api` from the declarations of TypeScript. Do not edit.",
    ...modules.flatMap(({ api, specifier }) => {
      const code = [api.imports, ...api.declarations.map(({ lines }) => lines)].filter((lines) => lines.length > 0)
      return [`## ${specifier}`, `\`\`\`ts\n${code.map((lines) => lines.join("\n")).join("\n\n")}\n\`\`\``]
    })
  ].join("\n\n") + "\n"
