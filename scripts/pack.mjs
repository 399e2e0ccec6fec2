// Packs every public package as for a release, and uses the tarballs as a stranger would: in an empty project outside of
// the repository, with the peers of the lockfile, without the source condition. There,
// 1. publint and attw (ESM only) accept each tarball, and it holds what it must and nothing else;
// 2. every public module loads and type-checks, without skipLibCheck; internal modules stay unreachable;
// 3. the server of the README type-checks, starts as a stdio process and answers a real client through its tool.
//
// The server is the ts fence after `<!-- server -->` in README.md. See CONTRIBUTING.md.
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { examplesOf, serverMarker } from "./examples-in-docs.mjs"

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
  return { name: manifest.name, tarball: Path.join(destination, filename), modules, internals, size: files.length }
}

const lint = ({ modules, name, tarball }) => {
  run(`publint ${name}`, "publint", ["run", tarball, "--strict"])
  run(`attw ${name}`, "attw", [tarball, "--profile", "esm-only", "--no-emoji", "--include-entrypoints", ...modules])
}

/** The packages that an example imports. */
const importsOf = ({ code }) =>
  Array.from(code.matchAll(/^(?:import|\}) .*from "((?:@[^/"]+\/)?[^/".:][^/":]*)(?:\/[^"]*)?"$/gm), ([, name]) => name)

/** An empty project that has the tarballs, and their peers and the example's packages at the versions of the lockfile. */
const install = (project, packages, packed, example) => {
  const locked = readJson("package-lock.json").packages
  const names = new Set(["@modelcontextprotocol/sdk", "@types/node", ...importsOf(example)])
  for (const { manifest } of packages) for (const name of Object.keys(manifest.peerDependencies ?? {})) names.add(name)
  const dependencies = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]))
  for (const name of names) {
    if (name in dependencies) continue
    const version = locked[`node_modules/${name}`]?.version
    if (version === undefined) throw new Failure(`${name} is needed, but package-lock.json has no version of it`)
    dependencies[name] = version
  }
  Fs.writeFileSync(
    Path.join(project, "package.json"),
    JSON.stringify({ name: "stranger", private: true, type: "module", dependencies }, null, 2)
  )
  run("npm install", "npm", ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: project
  })
  // Peers that do not fit the ranges of the packages are an error here.
  run("npm ls", "npm", ["ls", "--all"], { cwd: project })
}

/** Type-checks as strictly as can be; what is wrong in the declarations of others is not ours to report. */
const typeCheck = (what, project, file) => {
  const compilerOptions = {
    target: "ES2024",
    module: "NodeNext",
    strict: true,
    exactOptionalPropertyTypes: true,
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

const serverExample = () => {
  const readme = "README.md"
  const servers = examplesOf(readme, Fs.readFileSync(readme, "utf8")).filter(({ server }) => server)
  if (servers.length === 1) return servers[0]
  throw new Failure(
    `${readme}: ${serverMarker} must stand once, on a line before the ts fence of the server, so that the server is run ` +
      `against the packed packages; it stands ${servers.length} times`
  )
}

const checkServer = (project, { code, file, line, title }) => {
  const name = title ?? "server.ts"
  Fs.writeFileSync(Path.join(project, name), code)
  typeCheck(`${file}:${line} as ${name}`, project, name)
  Fs.copyFileSync("scripts/pack-client.mjs", Path.join(project, "client.mjs"))
  return run(`${file}:${line} as a stdio server`, process.execPath, ["client.mjs", name], {
    cwd: project,
    timeout: 60_000
  }).trim()
}

const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-sampling-pack-"))
const remove = () => Fs.rmSync(directory, { recursive: true, force: true })
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130))
process.once("exit", remove)

try {
  const project = Path.join(directory, "project")
  Fs.mkdirSync(project)
  const example = serverExample()
  build()
  const packages = publicPackages()
  const packed = packages.map((each) => pack(each, directory))
  for (const each of packed) {
    lint(each)
    console.log(`${each.name}: ${each.size} files, publint and attw agree`)
  }
  install(project, packages, packed, example)
  console.log(`installed ${packed.length} tarballs: ${checkModules(project, packed)} modules load and type-check`)
  console.log(`${example.file}:${example.line}: ${checkServer(project, example)}`)
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.log(error.message)
  process.exitCode = 1
}
