/**
 * What is measured: a server with the tool of `Workload.ts`, built on some library. A file in `peers/` is a peer; its
 * default export is a {@link Peer}.
 */
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import * as Effect from "effect/Effect"
import { readdirSync } from "node:fs"

export interface Peer {
  /**
   * Serves one client over the stdio of this process, for as long as it lives.
   */
  readonly serveStdio: () => Promise<unknown>
  /**
   * Serves one client over one end of a linked pair of SDK transports. Left out by peers that cannot: their cells stay
   * empty.
   */
  readonly serveMemory?: (transport: Transport) => Promise<unknown>
}

/** The one that the others are compared with. */
export const reference = "raw-sdk"

/** No library at all: what the messages themselves cost. */
export const floor = "floor"

/** The names of all peers: the reference, then the others. */
export const names: ReadonlyArray<string> = readdirSync(new URL("peers/", import.meta.url))
  .map((file) => file.replace(/\.ts$/, ""))
  .toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b, "en"))

function rank(name: string): number {
  return name === floor ? 0 : name === reference ? 1 : 2
}

export const load = (name: string): Effect.Effect<Peer> =>
  Effect.promise((): Promise<{ default: Peer }> => import(`./peers/${name}.ts`)).pipe(
    Effect.map((module) => module.default)
  )
