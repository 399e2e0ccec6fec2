/** The timers that every platform has. */
interface Platform {
  readonly setTimeout: <A>(f: (argument: A) => void, millis: number, argument: A) => Timer
  readonly clearTimeout: (timer: Timer | undefined) => void
}

export interface Timer {
  /** Makes the process wait for the timer. Node has it; platforms whose timers are numbers do not. */
  readonly ref?: () => unknown
  /** Lets the process exit before the timer fires. */
  readonly unref?: () => unknown
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of Node and of the Web disagree; `Timer` covers the number of HTML Standard, "Timers", and Node's object
export const { clearTimeout, setTimeout } = globalThis as unknown as Platform

// Older versions lack what the kit needs, and a server on them would hang without a word.
if (typeof Promise.withResolvers !== "function") {
  throw new Error(`effect-sampling needs Node 22.19 or newer. This is Node ${globalThis.process?.version}.`)
}

const decoder = new TextDecoder()

export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes)
