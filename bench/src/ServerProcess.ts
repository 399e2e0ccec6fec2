/**
 * A child process that runs one peer, and the ways to measure it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"
import type { Command, Report } from "./commands.ts"
import { type Calls, Driver } from "./Driver.ts"
import type * as Peer from "./Peer.ts"
import { onLines } from "./wire.ts"

/** One measurement of a window of calls. */
export interface Window {
  readonly cpuMicros: number
  readonly wallMillis: number
}

export interface ServerProcess {
  readonly run: (calls: Calls) => Effect.Effect<Window>
  /** Measures the heap of the server's process, in bytes for each of `asks` pending asks. */
  readonly heapPerPendingAsk: (asks: number) => Effect.Effect<number>
}

/** Starts the process of a peer. Returns undefined when the peer does not support the transport. */
export const start = (
  peer: string,
  transport: Peer.Transport
): Effect.Effect<ServerProcess | undefined, never, Scope.Scope> =>
  Effect.gen(function*() {
    const child = yield* spawnServer(peer, transport)
    const ready = yield* nextReport(child)
    if (ready.value === 0) return undefined
    const report = (command: Command) => Effect.andThen(Effect.sync(() => child.send(command)), nextReport(child))
    if (transport === "memory") return memoryServer(report)
    const driver = new Driver((message) => child.stdin!.write(`${JSON.stringify(message)}\n`), transport === "rounds")
    onLines(child.stdout!, driver.receive)
    // MCP 2026-07-28 has no handshake.
    if (transport !== "rounds") yield* driver.initialize
    return stdioServer(driver, report)
  })

type Ask = (command: Command) => Effect.Effect<Report>

const timed = <A>(effect: Effect.Effect<A>, toCpuMicros: (value: A) => number): Effect.Effect<Window> =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.map(effect, (value) => ({
      cpuMicros: toCpuMicros(value),
      wallMillis: performance.now() - start
    }))
  })

const memoryServer = (ask: Ask): ServerProcess => ({
  run: (calls) => timed(ask({ _tag: "run", calls }), (report) => report.value),
  heapPerPendingAsk: () =>
    Effect.die(new Error("Heap is measured over stdio only: in memory, the driver's heap would be included"))
})

const stdioServer = (driver: Driver, ask: Ask): ServerProcess => ({
  run: (calls) =>
    Effect.gen(function*() {
      const before = yield* ask({ _tag: "cpu" })
      const { wallMillis } = yield* timed(driver.run(calls), () => 0)
      const after = yield* ask({ _tag: "cpu" })
      return { cpuMicros: after.value - before.value, wallMillis }
    }),
  heapPerPendingAsk: (asks) =>
    Effect.gen(function*() {
      const before = yield* ask({ _tag: "heap" })
      const pending = yield* driver.hold(asks, ask({ _tag: "heap" }))
      return (pending.value - before.value) / asks
    })
})

const spawnServer = (peer: string, transport: Peer.Transport): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(
        process.execPath,
        [
          "--conditions=@effect-sampling/source",
          "--expose-gc",
          // The SDK's own transport causes this warning: it adds a listener for each message that waits for the pipe.
          "--disable-warning=MaxListenersExceededWarning",
          fileURLToPath(new URL("server.ts", import.meta.url)),
          peer,
          transport
        ],
        { stdio: ["pipe", "pipe", "inherit", "ipc"] }
      )
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const nextReport = (child: ChildProcess): Effect.Effect<Report> =>
  Effect.callback((resume) => {
    const onMessage = (report: Report) => settle(Effect.succeed(report))
    const onExit = () => settle(Effect.die(new Error("The process of a peer ended. Its stderr is printed above.")))
    const settle = (effect: Effect.Effect<Report>) => {
      child.off("message", onMessage)
      child.off("exit", onExit)
      resume(effect)
    }
    child.once("message", onMessage)
    child.once("exit", onExit)
  })
