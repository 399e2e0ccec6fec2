/** What every platform has and the library of the language does not describe. */
interface Platform {
  readonly setTimeout: <A>(f: (argument: A) => void, millis: number, argument: A) => Timer
  readonly clearTimeout: (timer: Timer | undefined) => void
  readonly queueMicrotask: (f: () => void) => void
  readonly performance: { readonly now: () => number }
  readonly URL: { readonly parse: (url: string) => { readonly hostname: string } | null }
}

export interface Timer {
  /** Whether the process waits for it: where there are processes. */
  readonly ref?: () => unknown
  readonly unref?: () => unknown
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- HTML Standard, "Timers", and others: every platform has them
export const { URL, clearTimeout, performance, queueMicrotask, setTimeout } = globalThis as unknown as Platform
