/**
 * The process of one peer, started as `server.ts <peer> <stdio | memory | rounds>`. It reports its own CPU time and
 * heap over IPC, outside the protocol, so that every peer is measured in the same way.
 */
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js"
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js"
import * as Effect from "effect/Effect"
import process from "node:process"
import type { Command, Report } from "./commands.ts"
import { Driver } from "./Driver.ts"
import * as Peer from "./Peer.ts"
import type { Message } from "./wire.ts"

const cpuMicros = (): number => {
  const { system, user } = process.cpuUsage()
  return user + system
}

const heapBytes: Effect.Effect<number> = Effect.callback((resume) => {
  // The second collection frees the objects that the first one finalizes.
  globalThis.gc?.()
  setImmediate(() => {
    globalThis.gc?.()
    const { external, heapUsed } = process.memoryUsage()
    resume(Effect.succeed(heapUsed + external))
  })
})

const answerCommands = (driver: Driver | undefined): void => {
  const execute = (command: Command): Effect.Effect<Report> => {
    switch (command._tag) {
      case "cpu":
        return Effect.sync(() => ({ value: cpuMicros() }))
      case "heap":
        return Effect.map(heapBytes, (value) => ({ value }))
      case "run":
        return Effect.suspend(() => {
          const before = cpuMicros()
          return Effect.map(driver!.run(command.calls), () => ({ value: cpuMicros() - before }))
        })
    }
  }
  process.on("message", (command: Command) => {
    Effect.runFork(Effect.map(execute(command), (report) => process.send!(report)))
  })
  process.on("disconnect", () => process.exit(0))
}

const serveMemory = (peer: Peer.Peer): Effect.Effect<Driver | undefined> =>
  Effect.gen(function*() {
    if (peer.serveMemory === undefined) return undefined
    const [client, server] = InMemoryTransport.createLinkedPair()
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the driver sends only JSON-RPC messages
    const driver = new Driver((message) => void client.send(message as JSONRPCMessage))
    // In a microtask, because no other transport delivers an answer before the server's own `send` returns.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see Message
    client.onmessage = (message) => queueMicrotask(() => driver.receive(message as unknown as Message))
    yield* Effect.promise(() => peer.serveMemory!(server))
    yield* driver.initialize
    return driver
  })

const [name, transport] = process.argv.slice(2)

const main = Effect.gen(function*() {
  const peer = yield* Peer.load(name!)
  if (transport === "memory") {
    const driver = yield* serveMemory(peer)
    answerCommands(driver)
    process.send!({ value: driver === undefined ? 0 : 1 } satisfies Report)
  } else {
    const serve = transport === "rounds" ? peer.serveRounds : peer.serveStdio
    answerCommands(undefined)
    process.send!({ value: serve === undefined ? 0 : 1 } satisfies Report)
    if (serve !== undefined) yield* Effect.promise(serve)
  }
})

Effect.runFork(main)
