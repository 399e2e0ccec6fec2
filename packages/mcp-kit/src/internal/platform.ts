/** Timers as every platform has them, and what Node adds. */
interface Platform {
  readonly setTimeout: <A>(f: (argument: A) => void, millis: number, argument: A) => Timer
  readonly clearTimeout: (timer: Timer | undefined) => void
}

export interface Timer {
  /** Whether the process waits for it: where there are processes. */
  readonly ref?: () => unknown
  readonly unref?: () => unknown
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- HTML Standard, "Timers": a number in some places, an object with methods in others
export const { clearTimeout, setTimeout } = globalThis as unknown as Platform

const decoder = new TextDecoder()

export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes)
