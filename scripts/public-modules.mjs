// The modules of a package that its `exports` open to users.
import * as Fs from "node:fs"
import * as Path from "node:path"

const source = "@effect-sampling/source"

/** Splits a key or target of `exports` at its `*`; a text without one is its own prefix. */
const split = (pattern) => {
  const [prefix, suffix] = pattern.split("*")
  return { prefix, suffix }
}

/** What stands for the `*` of the pattern in the text; undefined when the text does not match. */
const matched = (pattern, text) => {
  const { prefix, suffix } = split(pattern)
  if (suffix === undefined) return text === pattern ? "" : undefined
  const fits = text.length > prefix.length + suffix.length && text.startsWith(prefix) && text.endsWith(suffix)
  return fits ? text.slice(prefix.length, text.length - suffix.length) : undefined
}

/** The key that Node takes for a subpath: the exact one, or else the pattern with the longest prefix. */
const keyOf = (exports, subpath) =>
  Object.keys(exports)
    .filter((key) => matched(key, subpath) !== undefined)
    .toSorted((a, b) => Number(a.includes("*")) - Number(b.includes("*")) || b.indexOf("*") - a.indexOf("*"))[0]

/**
 * The public modules of the package in a directory, by name: `{ subpath, source, types }`, with `.` first. A module that
 * `exports` closes with `null` is not public. The files of `src` decide which modules exist, so that an old file in
 * `dist` opens nothing.
 */
export const publicModules = (directory) => {
  const { exports } = JSON.parse(Fs.readFileSync(Path.join(directory, "package.json"), "utf8"))
  const files = Fs.globSync("src/**/*.ts", { cwd: directory }).map((file) => `./${file.replaceAll(Path.sep, "/")}`)
  const modules = files.flatMap((file) => {
    const subpaths = Object.entries(exports).flatMap(([key, target]) => {
      const star = target === null || target[source] === undefined ? undefined : matched(target[source], file)
      if (star === undefined) return []
      const subpath = key.replace("*", star)
      return keyOf(exports, subpath) === key ? [{ subpath, source: file, types: target.types.replace("*", star) }] : []
    })
    // An index is open under both names; users know it by the shorter one.
    return subpaths.toSorted((a, b) => a.subpath.length - b.subpath.length).slice(0, 1)
  })
  return modules.toSorted((a, b) => (a.subpath < b.subpath ? -1 : 1))
}
