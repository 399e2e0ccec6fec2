// Bundles modules for browsers, and runs the bundle where nothing of Node is in reach.
import { isBuiltin } from "node:module"
import * as Vm from "node:vm"
import { build, defaultClientConditions } from "vite"

const entry = "virtual:entry"

/** Gives the entry, and collects which modules import built-in modules of Node. */
const plugin = (code, builtins) => ({
  name: "browser",
  enforce: "pre",
  resolveId(specifier, importer) {
    if (specifier === entry) return `\0${entry}`
    if (!isBuiltin(specifier)) return undefined
    builtins.push(`${importer?.replace(`${process.cwd()}/`, "")} imports ${specifier}`)
    return { id: specifier, external: true }
  },
  load: (id) => id === `\0${entry}` ? code : undefined
})

/**
 * Bundles an entry and all that it imports, whether it is used or not. Gives the script, which sets the global `bundle` to
 * the exports, and the imports of built-in modules, of which browsers have none.
 */
export const bundle = async (code) => {
  const builtins = []
  const [{ output }] = await build({
    configFile: false,
    logLevel: "error",
    plugins: [plugin(code, builtins)],
    resolve: { conditions: ["@effect-sampling/source", ...defaultClientConditions] },
    build: {
      // A library keeps `process.env.NODE_ENV` as it is; an application would have it replaced.
      lib: { entry, formats: ["iife"], name: "bundle" },
      minify: false,
      rollupOptions: { input: entry, treeshake: false },
      target: "es2022",
      write: false
    }
  })
  return { script: output[0].code, builtins }
}

/** Interfaces of the Web that core and Effect may use, in browsers and in workers. */
const webGlobals = [
  "AbortController",
  "AbortSignal",
  "Blob",
  "CompressionStream",
  "DecompressionStream",
  "Event",
  "EventTarget",
  "Headers",
  "ReadableStream",
  "Request",
  "Response",
  "TextDecoder",
  "TextEncoder",
  "TransformStream",
  "URL",
  "URLSearchParams",
  "WritableStream",
  "atob",
  "btoa",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "performance",
  "queueMicrotask",
  "structuredClone"
]

/** Timers have numbers in browsers, and objects in Node. */
const timer = (start) => (...args) => Number(start(...args))

/** Runs a script that has the Web's globals only, and gives the global `bundle` that it sets. */
export const runWithoutNode = (script) => {
  const globals = Object.fromEntries(webGlobals.map((name) => [name, globalThis[name]]))
  const context = Vm.createContext({
    ...globals,
    setInterval: timer(setInterval),
    setTimeout: timer(setTimeout)
  })
  Vm.runInContext("globalThis.self = globalThis", context)
  return Vm.runInContext(`${script}\n;bundle`, context, { filename: "bundle.js" })
}
