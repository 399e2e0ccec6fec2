// Packs every public package as for a release, and uses the tarballs as a stranger would: in empty directories outside of
// the repository, without the source condition.
// 1. publint and attw (ESM only) accept each tarball, and it holds what it must and nothing else;
// 2. every public module loads and type-checks, without skipLibCheck; internal modules stay unreachable;
// 3. the quickstart of README.md works as it stands: each of its commands runs, each of its files is written, and the
//    calls that it makes with the MCP Inspector are made with the official client;
// 4. each snippet of docs/editors.md starts the server of the quickstart.
//
// The packages are not published, and nothing may be downloaded. So npm's registry is a server on loopback, which has the
// tarballs and the packages of the lockfile: the commands of the README need no change. See pack-registry.mjs.
import { spawnSync } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { Worker } from "node:worker_threads"
import { pathPlaceholder, serversOf } from "./editors.mjs"
import { QuickstartError, stepsOf } from "./quickstart.mjs"

class Failure extends Error {}

const readJson = (file) => JSON.parse(Fs.readFileSync(file, "utf8"))
const indent = (text) => text.trim().replaceAll(/^/gm, "  ")

/** Runs a program to its end and gives its output; a failure carries all of it. */
const run = (what, command, args, options = {}) => {
  const { error, signal, status, stderr, stdout } = spawnSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 300_000,
    maxBuffer: 1 << 28,
    ...options
  })
  if (status === 0) return stdout
  throw new Failure(`${what}: ${error?.message ?? signal ?? `exit ${status}`}\n${indent(`${stdout}${stderr}`)}`)
}

const build = () => {
  // Output of sources that are gone would be packed as well.
  for (const file of Fs.globSync("packages/*/{dist,tsconfig.tsbuildinfo}")) Fs.rmSync(file, { recursive: true })
  run("build", "npm", ["run", "--silent", "build"])
}

const publicPackages = () =>
  Fs.globSync("packages/*/package.json").toSorted().flatMap((file) => {
    const manifest = readJson(file)
    return manifest.private ? [] : [{ directory: Path.dirname(file), manifest }]
  })

const pack = ({ directory, manifest }, destination) => {
  const [{ filename, files }] = JSON.parse(
    run(`npm pack ${manifest.name}`, "npm", ["pack", "--json", "--pack-destination", destination, `./${directory}`])
  )
  const paths = files.map(({ path }) => path)
  const needed = ["LICENSE", "README.md", "dist/index.js", "dist/index.d.ts", "src/index.ts"]
  const missing = needed.filter((path) => !paths.includes(path))
  const foreign = paths.filter((path) =>
    !/^(package\.json|LICENSE|README\.md|CHANGELOG\.md|(src|dist)\/.*)$/.test(path)
  )
  if (missing.length > 0) throw new Failure(`${manifest.name}: the tarball lacks ${missing.join(", ")}`)
  if (foreign.length > 0) throw new Failure(`${manifest.name}: the tarball must not hold ${foreign.join(", ")}`)
  const modules = paths.flatMap((path) => /^dist\/((?!internal\/).+)\.js$/.exec(path)?.[1] ?? [])
  const internals = paths.flatMap((path) => /^dist\/(internal\/.+)\.js$/.exec(path)?.[1] ?? [])
  return {
    name: manifest.name,
    manifest,
    tarball: Path.join(destination, filename),
    modules,
    internals,
    size: files.length
  }
}

const lint = ({ modules, name, tarball }) => {
  run(`publint ${name}`, "publint", ["run", tarball, "--strict"])
  run(`attw ${name}`, "attw", [tarball, "--profile", "esm-only", "--no-emoji", "--include-entrypoints", ...modules])
}

/**
 * The environment in which npm finds all packages at `registry`, with a cache of its own, and nothing of this repository.
 * What `npm run` sets would make it work here instead of in the directory of the stranger.
 */
const strangersEnvironment = (registry) => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|init_cwd$|node_options$)/i.test(name))),
  npm_config_registry: registry,
  npm_config_noproxy: "127.0.0.1",
  npm_config_cache: Path.join(directory, "cache"),
  npm_config_userconfig: Path.join(directory, "npmrc"),
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_update_notifier: "false"
})

/** Installs the packed packages, all of their peers and the types of Node into an empty project. */
const install = (project, packages, env) => {
  const names = new Set(["@modelcontextprotocol/sdk", "@types/node"])
  for (const { manifest } of packages) {
    for (const name of [manifest.name, ...Object.keys(manifest.peerDependencies ?? {})]) names.add(name)
  }
  Fs.writeFileSync(Path.join(project, "package.json"), JSON.stringify({ name: "stranger", type: "module" }))
  run("npm install", "npm", ["install", ...names], { cwd: project, env })
  // Peers that do not fit the ranges of the packages are an error here.
  run("npm ls", "npm", ["ls", "--all"], { cwd: project, env })
}

/** Type-checks as strictly as can be; what is wrong in the declarations of others is not ours to report. */
const typeCheck = (what, project, file) => {
  for (const exactOptionalPropertyTypes of [true, false]) typeCheckWith(what, project, file, exactOptionalPropertyTypes)
}

const typeCheckWith = (what, project, file, exactOptionalPropertyTypes) => {
  const compilerOptions = {
    target: "ES2024",
    module: "NodeNext",
    strict: true,
    exactOptionalPropertyTypes,
    noEmit: true,
    skipLibCheck: false,
    types: ["node"]
  }
  Fs.writeFileSync(Path.join(project, "tsconfig.json"), JSON.stringify({ files: [file], compilerOptions }))
  const tsc = (...args) =>
    spawnSync("tsc", ["--project", "tsconfig.json", "--pretty", "false", ...args], { cwd: project, encoding: "utf8" })
  const { status, stdout } = tsc()
  const foreign = /^node_modules\/(?!@effect-sampling\/).*: error /
  const errors = stdout.split("\n").filter((line) => line.trim() !== "" && !/^\s/.test(line) && !foreign.test(line))
  if (errors.length > 0 || (status !== 0 && stdout.trim() === "")) {
    throw new Failure(`${what} does not type-check (exit ${status}):\n${indent(errors.join("\n"))}`)
  }
  const files = tsc("--listFilesOnly").stdout.split("\n").filter((path) =>
    path.includes("/node_modules/@effect-sampling/")
  )
  const sources = files.filter((path) => !path.endsWith(".d.ts"))
  if (files.length === 0) throw new Failure(`${what} uses none of the packages`)
  if (sources.length > 0) {
    throw new Failure(`${what}: resolved to source, not to declarations:\n${indent(sources.join("\n"))}`)
  }
}

const checkModules = (project, packed) => {
  const specifiers = packed.flatMap(({ modules, name }) => [
    name,
    ...modules.filter((module) => module !== "index").map((module) => `${name}/${module}`)
  ])
  Fs.writeFileSync(
    Path.join(project, "modules.ts"),
    specifiers.map((specifier, index) => `export * as module${index} from "${specifier}"\n`).join("")
  )
  typeCheck("what the packages export", project, "modules.ts")
  const internals = packed.flatMap(({ internals: paths, name }) => paths.map((path) => `${name}/${path}`))
  Fs.writeFileSync(
    Path.join(project, "modules.mjs"),
    `for (const specifier of ${JSON.stringify(specifiers)}) await import(specifier)
for (const specifier of ${JSON.stringify(internals)}) {
  const code = await import(specifier).then(() => "none", (error) => error.code)
  if (code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw new Error(specifier + " is reachable: " + code)
}
`
  )
  run("loading the packages", process.execPath, ["modules.mjs"], { cwd: project })
  return specifiers.length
}

/** Makes the call of the quickstart with a server that is started like this. */
const callServer = (call, server) =>
  run(
    `the call of ${call.name}`,
    process.execPath,
    ["scripts/quickstart-client.mjs", JSON.stringify({ call, server })],
    {
      timeout: 60_000
    }
  ).trim()

const takeStep = (step, project, env) => {
  switch (step.kind) {
    case "file":
      Fs.writeFileSync(Path.join(project, step.name), step.text)
      return []
    case "command":
      run(step.line, "sh", ["-c", step.line], { cwd: project, env })
      return []
    default:
      return [callServer(step, { command: step.command, args: [step.file], cwd: project })]
  }
}

const quickstart = () => stepsOf(Fs.readFileSync("README.md", "utf8"))

const checkQuickstart = (project, env) => {
  const steps = quickstart()
  const said = steps.flatMap((step) => takeStep(step, project, env))
  if (said.length === 0) throw new Failure("README.md: the quickstart calls no tool with the Inspector")
  typeCheck("the server of the quickstart", project, "server.ts")
  return `${steps.length} steps; ${said.join("; ")}`
}

/** An editor starts the server in a directory of its own choice. */
const checkEditors = (project, cwd) => {
  const call = quickstart().find(({ kind }) => kind === "call")
  const servers = serversOf(Fs.readFileSync("docs/editors.md", "utf8"))
  for (const { args, command, env, file } of servers) {
    const paths = args.map((each) => each.replace(pathPlaceholder, Path.join(project, call.file)))
    try {
      callServer(call, { command, args: paths, env, cwd })
    } catch (error) {
      throw new Failure(`docs/editors.md, ${file}: ${error.message}`)
    }
  }
  return `${servers.length} snippets start the server`
}

const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-sampling-pack-"))
const remove = () => Fs.rmSync(directory, { recursive: true, force: true })
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130))
process.once("exit", remove)

try {
  const project = Path.join(directory, "project")
  const empty = Path.join(directory, "summariser")
  for (const each of [project, empty]) Fs.mkdirSync(each)
  build()
  const packages = publicPackages()
  const packed = packages.map((each) => pack(each, directory))
  for (const each of packed) {
    lint(each)
    console.log(`${each.name}: ${each.size} files, publint and attw agree`)
  }
  const registry = new Worker(new URL("pack-registry.mjs", import.meta.url), { workerData: { packed } })
  registry.unref()
  const [url] = await once(registry, "message")
  const env = strangersEnvironment(url)
  install(project, packages, env)
  console.log(`installed ${packed.length} tarballs: ${checkModules(project, packed)} modules load and type-check`)
  console.log(`README.md: ${checkQuickstart(empty, env)}`)
  console.log(`docs/editors.md: ${checkEditors(empty, directory)}`)
} catch (error) {
  if (!(error instanceof Failure || error instanceof QuickstartError)) throw error
  console.log(error.message)
  process.exitCode = 1
}
