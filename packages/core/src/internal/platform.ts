/** What every platform has and the library of the language does not describe. */
interface Platform {
  readonly setTimeout: <A>(f: (argument: A) => void, millis: number, argument: A) => Timer
  readonly clearTimeout: (timer: Timer | undefined) => void
  readonly queueMicrotask: (f: () => void) => void
  readonly performance: { readonly now: () => number }
  readonly TextEncoder: new() => { readonly encode: (text: string) => Uint8Array }
  readonly TextDecoder: new() => { readonly decode: (bytes: Uint8Array) => string }
  readonly process?: {
    readonly getBuiltinModule?: (name: string) => unknown
    readonly nextTick?: (f: () => void) => void
  }
  readonly URL: { readonly parse: (url: string) => { readonly hostname: string } | null }
}

export interface Timer {
  /** Whether the process waits for it: where there are processes. */
  readonly ref?: () => unknown
  readonly unref?: () => unknown
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- HTML Standard, "Timers", Encoding Standard, and others: every platform has them
const platform = globalThis as unknown as Platform

export const { URL, clearTimeout, performance, queueMicrotask, setTimeout } = platform

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

/** After all microtasks, those that they start included, where there is such a thing. */
export const nextTick = (f: () => void): void => {
  if (platform.process?.nextTick === undefined) queueMicrotask(f)
  else platform.process.nextTick(f)
}
