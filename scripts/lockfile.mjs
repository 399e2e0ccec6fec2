// Adds to package-lock.json the platform packages that the lockfile names as optional but has no entry for.
//
// npm writes no entry for an optional package that the registry it asked does not serve, and `npm ci` then refuses the
// lockfile that npm itself wrote. Run `npm run lockfile` after an install that changed the lockfile.
import * as Fs from "node:fs"

const platforms = new Set([
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32"
])
const processors = new Set([
  "arm",
  "arm64",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
  "x64"
])
const libraries = { glibc: "glibc", gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" }

const lockfile = JSON.parse(Fs.readFileSync("package-lock.json", "utf8"))
const packages = lockfile.packages

/** The place of `name` as seen from the package at `from`, or undefined. */
const resolve = (from, name) => {
  for (let at = from;; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const place = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`
    if (packages[place] !== undefined) return place
    if (at === "") return undefined
  }
}

const added = []
for (const [from, parent] of Object.entries({ ...packages })) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (resolve(from, name) !== undefined) continue
    const words = name.split(/[^a-z0-9]+/)
    const os = words.filter((word) => platforms.has(word))
    const cpu = words.filter((word) => processors.has(word))
    const libc = words.flatMap((word) => libraries[word] ?? [])
    if (os.length === 0 || cpu.length === 0 || !/^\d/.test(version)) {
      throw new Error(`${from} wants the optional package ${name}@${version}, which names no platform: add it by hand`)
    }
    packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(parent.dev && { dev: true }),
      ...(libc.length > 0 && { libc }),
      optional: true,
      os
    }
    added.push(`${name}@${version}`)
  }
}
lockfile.packages = Object.fromEntries(
  Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, "en"))
)
if (added.length > 0) Fs.writeFileSync("package-lock.json", JSON.stringify(lockfile, null, 2) + "\n")
console.log(added.length === 0 ? "package-lock.json is complete" : `added ${added.join(", ")}`)
