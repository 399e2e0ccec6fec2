/**
 * What the bench asks the process of a peer, over IPC.
 */
import type { Calls } from "./Driver.ts"

export type Command =
  /** CPU time of the whole process so far, in microseconds. */
  | { readonly _tag: "cpu" }
  /** Heap and external memory after garbage collection, in bytes. */
  | { readonly _tag: "heap" }
  /** In memory only: runs the driver in the process of the server. The CPU time of both, in microseconds. */
  | { readonly _tag: "run"; readonly calls: Calls }

export interface Report {
  readonly value: number
}
