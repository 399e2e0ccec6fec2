// What no other tool checks about the workspace itself: every package is built, complete and made like the others.
import * as Fs from "node:fs"
import * as Path from "node:path"

const problems = []
const expect = (holds, problem) => {
  if (!holds) problems.push(problem)
}
const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b)
const readJson = (file) => JSON.parse(Fs.readFileSync(file, "utf8"))

const root = readJson("package.json")
const license = Fs.readFileSync("LICENSE", "utf8")
const directories = Fs.globSync("packages/*/").toSorted().map((path) => path.replaceAll(Path.sep, "/"))
const packages = directories.map((directory) => ({ directory, manifest: readJson(`${directory}/package.json`) }))
const directoryOf = new Map(packages.map(({ directory, manifest }) => [manifest.name, directory]))
const model = packages.find(({ directory }) => directory === "packages/core").manifest

/** Users of an adapter do not use the kit, so an adapter brings it, as a dependency. */
const kit = "@effect-sampling/mcp-kit"

const references = readJson("tsconfig.json").references.map(({ path }) => path)
for (const path of [...directories, "tsconfig.test.json"]) {
  expect(references.includes(path), `tsconfig.json: references lack { "path": "${path}" }`)
}
for (const path of references) {
  expect(Fs.existsSync(path), `tsconfig.json: references name ${path}, which does not exist`)
}

for (const { directory, manifest } of packages) {
  const at = (problem) => `${directory}/package.json: ${problem}`
  expect(manifest.name === `@effect-sampling/${Path.basename(directory)}`, at("name does not say its directory"))
  for (const key of ["version", "license", "sideEffects", "type", "engines", "exports", "files", "publishConfig"]) {
    expect(equal(manifest[key], model[key]), at(`${key} differs from that of ${model.name}`))
  }
  expect(
    manifest.license === root.license && equal(manifest.engines, root.engines),
    at("license or engines differ from the root")
  )
  expect(typeof manifest.description === "string" && manifest.description !== "", at("description is missing"))
  expect(Array.isArray(manifest.keywords) && manifest.keywords.length > 0, at("keywords are missing"))
  expect(
    Fs.existsSync(`${directory}/LICENSE`) && Fs.readFileSync(`${directory}/LICENSE`, "utf8") === license,
    `${directory}/LICENSE is not a copy of LICENSE`
  )
  expect(!Fs.existsSync("README.md") || Fs.existsSync(`${directory}/README.md`), `${directory}/README.md is missing`)

  const peers = Object.keys(manifest.peerDependencies ?? {})
  expect(peers.includes("effect"), at("effect is not a peer dependency"))
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    expect(
      name === kit || (name !== "effect" && !name.startsWith("@effect-sampling/")),
      at(`${name} must be a peer, not a dependency`)
    )
  }
  for (const name of peers) {
    expect(manifest.devDependencies?.[name] !== undefined, at(`the peer ${name} is not among devDependencies`))
  }
  const built = readJson(`${directory}/tsconfig.json`).references ?? []
  const required = { ...manifest.dependencies, ...manifest.peerDependencies }
  for (const name of Object.keys(required).filter((each) => directoryOf.has(each))) {
    const path = Path.posix.relative(directory, directoryOf.get(name))
    expect(
      built.some((reference) => reference.path === path),
      `${directory}/tsconfig.json: references lack { "path": "${path}" }`
    )
    expect(
      required[name] === `^${model.version}`,
      at(`${name} must be ^${model.version}, the version of all packages`)
    )
  }
}

for (const problem of problems) console.log(problem)
console.log(`${packages.length} packages, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
