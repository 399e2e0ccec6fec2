// Writes the public API of every public package to packages/<name>/api.md: each name that its public modules export, with
// its declaration. `npm run api -- --check` compares instead, so that a change of the API is seen in a diff and accepted
// on purpose. Both read the declarations that `tsc -b` writes to dist, which `npm run api` does first.
//
// A package lists what its tarball holds in `files`; the report is not among them.
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { diff } from "node:util"
import { apiOf, reportOf } from "./api-report.mjs"
import { publicModules } from "./public-modules.mjs"

class Failure extends Error {}

const readText = (file) => {
  try {
    return Fs.readFileSync(file, "utf8")
  } catch (error) {
    if (error.code === "ENOENT") return undefined
    throw error
  }
}

const declarationsOf = (file) => {
  const text = readText(file)
  if (text !== undefined) return text
  throw new Failure(`${file} does not exist: run npm run check, which writes the declarations of every module`)
}

/** Lists a module and the modules behind it that users cannot import. */
const readApi = (file, open) =>
  apiOf(file, declarationsOf(file), (from, specifier) => {
    if (!specifier.startsWith(".")) return undefined
    const target = Path.join(Path.dirname(from), specifier.replace(/\.[jt]s$/, ".d.ts"))
    return open.has(target) ? undefined : readApi(target, open)
  })

/** Formats as dprint does everywhere else: long signatures break over lines, and a diff shows the part that changed. */
const format = (file, text) => {
  const config = Path.join(import.meta.dirname, "../dprint.json")
  const { error, status, stderr, stdout } = spawnSync(
    "dprint",
    ["fmt", "--config", config, "--stdin", Path.basename(file)],
    { encoding: "utf8", input: text, maxBuffer: 1 << 28 }
  )
  if (status === 0) return stdout
  throw new Failure(`dprint cannot format ${file}: ${error?.message ?? stderr.trim()}`)
}

const report = (directory) => {
  const { name } = JSON.parse(Fs.readFileSync(`${directory}/package.json`, "utf8"))
  const modules = publicModules(directory)
  const open = new Set(modules.map(({ types }) => Path.join(directory, types)))
  return format(
    `${directory}/api.md`,
    reportOf(
      name,
      modules.map(({ subpath, types }) => ({
        specifier: Path.posix.join(name, subpath),
        api: readApi(Path.join(directory, types), open)
      }))
    )
  )
}

const context = 3

/** The signs of `diff`: 1 for a line that only the first text has. */
const signs = { 0: " ", 1: "-", [-1]: "+" }

/** The lines that differ, with their sign, among `context` lines that do not; `...` stands for the others. */
const differences = (before, after) => {
  const lines = diff(before.split("\n"), after.split("\n"))
  const isNear = (index) => lines.slice(Math.max(0, index - context), index + context + 1).some(([sign]) => sign !== 0)
  const shown = lines.map(([sign, line], index) => (isNear(index) ? `${signs[sign]} ${line}` : "..."))
  return shown.filter((line, index) => line !== "..." || shown[index - 1] !== "...").join("\n")
}

const isPublic = (directory) => JSON.parse(Fs.readFileSync(`${directory}/package.json`, "utf8")).private !== true

const compare = (file, text) => {
  const found = readText(file)
  if (found === text) return true
  console.log(found === undefined ? `${file} does not exist` : `${file} is out of date:\n${differences(found, text)}\n`)
  return false
}

const run = (check) => {
  const directories = Fs.globSync("packages/*/package.json").toSorted()
    .map((file) => Path.dirname(file).replaceAll(Path.sep, "/")).filter(isPublic)
  if (directories.length === 0) throw new Failure("there is no public package: run this in the root directory")
  const reports = directories.map((directory) => ({ file: `${directory}/api.md`, text: report(directory) }))
  if (!check) {
    for (const { file, text } of reports) Fs.writeFileSync(file, text)
    console.log(`wrote ${reports.map(({ file }) => file).join(", ")}`)
    return
  }
  const failed = reports.filter(({ file, text }) => !compare(file, text)).length
  if (failed > 0) {
    throw new Failure("The public API has changed. If that is meant, run npm run api and commit the reports.")
  }
  console.log(`${reports.length} reports of the public API are up to date`)
}

try {
  const [word, ...others] = process.argv.slice(2)
  if (others.length > 0 || ![undefined, "--check"].includes(word)) {
    throw new Failure(`unknown argument ${[word, ...others].join(" ")}: give --check or nothing`)
  }
  run(word === "--check")
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.log(error.message)
  process.exitCode = 1
}
