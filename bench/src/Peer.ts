/**
 * A peer is a server with the tool of `Workload.ts`, built on some library. Each file in `peers/` is a peer, whose
 * default export is a {@link Peer}.
 */
import type { Transport as SdkTransport } from "@modelcontextprotocol/sdk/shared/transport.js"
import * as Effect from "effect/Effect"
import { readdirSync } from "node:fs"

export interface Peer {
  /**
   * Serves one client of MCP 2025-11-25 over the stdio of this process, for as long as the process lives. A peer omits
   * the methods that its library does not support, and the cells of its tables stay empty.
   */
  readonly serveStdio?: () => Promise<unknown>
  /**
   * Serves one client over one end of a linked pair of SDK transports.
   */
  readonly serveMemory?: (transport: SdkTransport) => Promise<unknown>
  /**
   * Serves one client of MCP 2026-07-28, in rounds, over the stdio of this process.
   */
  readonly serveRounds?: () => Promise<unknown>
}

/** The connection between the driver and a peer. */
export type Transport = "stdio" | "memory" | "rounds"

/** Returns the name of the peer with which the others are compared. */
export const reference = (transport: Transport): string => transport === "rounds" ? "raw-sdk-v2" : "raw-sdk"

/** Returns the name of the peer of this repository, which has targets. */
export const subject = (transport: Transport): string =>
  transport === "rounds" ? "effect-sampling-v2" : "effect-sampling"

/** The name of the peer without any library, which shows the cost of the messages themselves. */
export const floor = "floor"

/** The names of all peers: the floor first, then the reference, then the others. */
export const names: ReadonlyArray<string> = readdirSync(new URL("peers/", import.meta.url))
  .map((file) => file.replace(/\.ts$/, ""))
  .toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b, "en"))

function rank(name: string): number {
  return name === floor ? 0 : name === reference("stdio") ? 1 : 2
}

export const load = (name: string): Effect.Effect<Peer> =>
  Effect.promise((): Promise<{ default: Peer }> => import(`./peers/${name}.ts`)).pipe(
    Effect.map((module) => module.default)
  )
