/** What every platform has and the library of the language does not describe. */
interface Platform {
  readonly setTimeout: <A>(f: (argument: A) => void, millis: number, argument: A) => Timer
  readonly clearTimeout: (timer: Timer | undefined) => void
  readonly queueMicrotask: (f: () => void) => void
  readonly URL: { readonly parse: (url: string) => { readonly hostname: string } | null }
}

export interface Timer {
  /** Starts the time anew: Node, Bun and Deno have it. */
  readonly refresh?: () => unknown
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- HTML Standard, "Timers", and URL Standard: every platform has them
export const { URL, clearTimeout, queueMicrotask, setTimeout } = globalThis as unknown as Platform
