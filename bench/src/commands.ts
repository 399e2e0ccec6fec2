/**
 * The commands that the bench sends to the process of a peer over IPC.
 */
import type { Calls } from "./Driver.ts"

export type Command =
  /** Reports the CPU time of the whole process so far, in microseconds. */
  | { readonly _tag: "cpu" }
  /** Reports heap and external memory after garbage collection, in bytes. */
  | { readonly _tag: "heap" }
  /** In memory only: runs the driver in the server's process. Reports the CPU time of both, in microseconds. */
  | { readonly _tag: "run"; readonly calls: Calls }

export interface Report {
  readonly value: number
}
