/** What every platform has and the library of the language does not describe. */
interface Platform {
  readonly performance: { readonly now: () => number }
  readonly TextEncoder: new() => { readonly encode: (text: string) => Uint8Array }
  readonly TextDecoder: new() => { readonly decode: (bytes: Uint8Array) => string }
  readonly process?: {
    readonly getBuiltinModule?: (name: string) => unknown
  }
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Encoding Standard, High Resolution Time: every platform has them
const platform = globalThis as unknown as Platform

export const { performance } = platform

/**
 * A built-in module of Node, Bun or Deno, which does at once what the Web's interfaces do in another thread; undefined
 * elsewhere. Nothing is imported, so this runs on every platform.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says which part of the module it uses
export const builtin = <Module>(name: string): Module | undefined =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller names the part of the module's documented interface that it uses
  platform.process?.getBuiltinModule?.(name) as Module | undefined

interface TextBuffer {
  readonly from: (text: string, encoding: "utf8") => Uint8Array
}

const buffer = builtin<{ readonly Buffer: TextBuffer }>("node:buffer")?.Buffer
const encoder = new platform.TextEncoder()
const decoder = new platform.TextDecoder()

/** A buffer of Node takes a fifth of the time. The bytes may be a part of a larger buffer. */
export const toUtf8 = (text: string): Uint8Array =>
  buffer === undefined ? encoder.encode(text) : buffer.from(text, "utf8")

export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes)
