import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Http from "node:http"
import * as Os from "node:os"
import * as Path from "node:path"
import { text } from "node:stream/consumers"
import { parseSync } from "oxc-parser"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { fencesOf, isQuoted, sectionOf } from "../fences.mjs"

// What the compiler says about programs is checked by `npm run docs`, because the page shows those programs.

const root = Path.resolve(import.meta.dirname, "../..")
const page = Fs.readFileSync(Path.join(root, "docs/troubleshooting.md"), "utf8")
const [nodeSays, compilerSays, clientSays] = ["Node", "the compiler", "the client"].map((who) =>
  sectionOf(page, `## What ${who} says`)
)
let directory

beforeEach(() => {
  directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "troubleshooting-"))
})
afterEach(() => Fs.rmSync(directory, { recursive: true, force: true }))

const write = (files) => {
  for (const [name, text] of Object.entries(files)) {
    Fs.mkdirSync(Path.dirname(Path.join(directory, name)), { recursive: true })
    Fs.writeFileSync(Path.join(directory, name), typeof text === "string" ? text : JSON.stringify(text))
  }
}

/** Runs a command among these files. Its output contains the first quote under the heading. */
const says = (section, heading, files, command, ...args) => {
  write(files)
  const { stderr, stdout } = spawnSync(command, args, {
    cwd: directory,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" }
  })
  // Node and tsc begin with where it happened.
  const output = `${stdout}${stderr}`.replaceAll(/^(\(node:\d+\)|\S+\(\d+,\d+\):) /gm, "")
  const quote = fencesOf(section, `### ${heading}`)[0]
  assert.isTrue(isQuoted(quote.text, output), `${quote.text}\nis not in\n${output}`)
}

const esm = { "package.json": { type: "module" } }
const imports = "import { x } from \"./tools\"\nconsole.log(x)\n"
const tools = { "tools.ts": "export const x: number = 1\n" }

describe("What Node says", () => {
  const node = (heading, files, ...args) => says(nodeSays, heading, files, process.execPath, ...args, "server.ts")

  it("an old Node does not know TypeScript", () =>
    node("Unknown file extension \".ts\"", { ...esm, "server.ts": "" }, "--no-experimental-strip-types"))

  it("a program in a package of CommonJS modules", () =>
    node("Cannot use import statement outside a module", {
      "package.json": { type: "commonjs" },
      "server.ts": "import \"node:fs\"\n"
    }))

  it("a program in a package without a type", () =>
    node("Module type of … is not specified", { "package.json": {}, "server.ts": "import \"node:fs\"\n" }))

  it("an import without the extension", () =>
    node("Cannot find module …/tools imported from …/server.ts", { ...esm, ...tools, "server.ts": imports }))

  it("syntax that has to be compiled", () =>
    node("TypeScript enum is not supported", { ...esm, "server.ts": "enum A { B }\nconsole.log(A.B)\n" }))
})

describe("What the compiler says", () => {
  const compiler = (heading, compilerOptions, files) =>
    says(
      compilerSays,
      heading,
      { ...files, "tsconfig.json": { files: ["server.ts"], compilerOptions: { noEmit: true, ...compilerOptions } } },
      Path.join(root, "node_modules/.bin/tsc"),
      "--pretty",
      "false"
    )
  const nodeNext = { module: "NodeNext" }

  it("a program in a package of CommonJS modules", () =>
    compiler("ECMAScript imports and exports cannot be written in a CommonJS file", {
      ...nodeNext,
      verbatimModuleSyntax: true
    }, { "package.json": {}, "server.ts": "import { x } from \"./tools.js\"\n", ...tools }))

  it("an import with .ts, without the option", () =>
    compiler(
      "An import path can only end with a '.ts' extension when 'allowImportingTsExtensions' is enabled",
      nodeNext,
      { ...esm, ...tools, "server.ts": imports.replace("tools", "tools.ts") }
    ))

  it("an import without an extension", () =>
    compiler("Relative import paths need explicit file extensions", nodeNext, {
      ...esm,
      ...tools,
      "server.ts": imports
    }))

  it("the resolution of modules of old", () =>
    compiler("Option 'moduleResolution=node10' has been removed", { module: "ESNext", moduleResolution: "node10" }, {
      ...esm,
      "server.ts": ""
    }))

  const effect3 = { name: "effect", version: "3.22.4", exports: { ".": "./index.js" } }

  it("Effect 3, to the compiler", () => {
    write({ "node_modules/effect/package.json": effect3, "node_modules/effect/index.js": "" })
    const quote = fencesOf(compilerSays, "### Cannot find module 'effect/ai'")[0].text
    write({ ...esm, "server.ts": "import { Tool } from \"effect/ai\"\nconsole.log(Tool)\n" })
    const { stdout } = spawnSync(
      Path.join(root, "node_modules/.bin/tsc"),
      ["--noEmit", "--pretty", "false", "--module", "NodeNext", "server.ts"],
      { cwd: directory, encoding: "utf8" }
    )
    assert.include(stdout, quote.trim())
  })

  it("Effect 3, to npm", async () => {
    const { devDependencies: _, ...core } = JSON.parse(Fs.readFileSync(Path.join(root, "packages/core/package.json")))
    const packages = [effect3, { name: "effect", version: "4.1.0" }, core]
    const registry = Http.createServer(({ url }, response) => {
      const found = packages.filter(({ name }) => `/${name}` === decodeURIComponent(url))
      if (found.length === 0) return response.writeHead(404).end("{}")
      const versions = Object.fromEntries(found.map((each) => [each.version, { ...each, dist: { tarball: "" } }]))
      response.end(JSON.stringify({ name: found[0].name, versions, "dist-tags": { latest: found.at(-1).version } }))
    })
    registry.listen(0, "127.0.0.1")
    await once(registry, "listening")
    write({ "package.json": { dependencies: { effect: "^3.0.0" } }, npmrc: "" })
    const npm = spawn("npm", ["install", "--package-lock-only", core.name], {
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        npm_config_registry: `http://127.0.0.1:${registry.address().port}/`,
        npm_config_userconfig: Path.join(directory, "npmrc"),
        npm_config_cache: Path.join(directory, "cache"),
        npm_config_noproxy: "127.0.0.1",
        npm_config_audit: "false",
        npm_config_loglevel: "error",
        npm_config_update_notifier: "false"
      }
    })
    const output = await text(npm.stderr)
    registry.close()
    const quote = fencesOf(compilerSays, "### Cannot find module 'effect/ai'")[1].text
    assert.isTrue(isQuoted(quote, output), output)
  })
})

/** A value in a text: at most one sentence, or a pattern of nothing but values would fit every text. */
const value = String.raw`(?:(?!\. [A-Z])[^])+?`

/** Every text of the source, with the values in it left open. */
const textsOf = (file) => {
  const { program } = parseSync(file, Fs.readFileSync(file, "utf8"))
  const constants = new Map()
  const patternOf = (node) => {
    switch (node.type) {
      case "Literal":
        return typeof node.value === "string" ? RegExp.escape(node.value) : undefined
      case "TemplateLiteral":
        return node.quasis.map((quasi, index) =>
          RegExp.escape(quasi.value.cooked) + (index < node.expressions.length ? open(node.expressions[index]) : "")
        ).join("")
      case "BinaryExpression":
        return node.operator === "+" ? open(node.left) + open(node.right) : undefined
      case "Identifier":
        return constants.get(node.name)
      default:
        return undefined
    }
  }
  const open = (node) => patternOf(node) ?? value
  const found = []
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (node === null || typeof node !== "object") return
    const pattern = node.type === undefined || node.type === "Identifier" ? undefined : patternOf(node)
    if (pattern !== undefined) found.push(pattern)
    Object.values(node).forEach(visit)
  }
  for (const { declarations = [] } of program.body.map((each) => each.declaration ?? each)) {
    for (const { id, init } of declarations) {
      const pattern = init === null ? undefined : patternOf(init)
      if (pattern !== undefined) constants.set(id.name, pattern)
    }
  }
  visit(program)
  return found.filter((pattern) => pattern.replaceAll(value, "").length > 16)
}

describe("What the client says", () => {
  const patterns = Fs.globSync("packages/*/src/**/*.ts", { cwd: root }).flatMap((file) =>
    textsOf(Path.join(root, file))
  ).map((pattern) => new RegExp(`^${pattern}$`))
  const quotes = fencesOf(clientSays).filter(({ language }) => language === "text").flatMap((fence) =>
    fence.text.trimEnd().split(/\n(?! )/)
  )

  it("every message that it quotes stands in the source", () => {
    assert.isAbove(quotes.length, 20)
    assert.deepStrictEqual(quotes.filter((quote) => !patterns.some((pattern) => pattern.test(quote))), [])
  })

  it("a message that is not in the source is noticed", () => {
    const made = quotes[0].replace("did not declare", "did not say")
    assert.isFalse(patterns.some((pattern) => pattern.test(made)))
  })

  it("every kind of SamplingUnsupported is explained", () => {
    const source = Fs.readFileSync(Path.join(root, "packages/core/src/SamplingError.ts"), "utf8")
    const [, literals] = /missing: Schema\.Literals\(\[([^\]]+)\]/.exec(source)
    const kinds = Array.from(literals.matchAll(/"(.+?)"/g), ([, kind]) => kind)
    assert.isAbove(kinds.length, 4)
    for (const kind of kinds) assert.include(clientSays, `missing: "${kind}"`)
  })
})
