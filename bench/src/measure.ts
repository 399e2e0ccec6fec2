/**
 * Runs all peers side by side, each in its own process, in short windows that take turns.
 */
import * as Effect from "effect/Effect"
import type { Calls } from "./Driver.ts"
import * as Peer from "./Peer.ts"
import * as ServerProcess from "./ServerProcess.ts"

export interface Settings {
  /** The number of times all processes are started, because two processes of the same code differ while they live. */
  readonly generations: number
  /** The number of rounds in each generation. */
  readonly rounds: number
  /** A factor for the number of calls of every window and of the warm-up. */
  readonly scale: number
  readonly pendingAsks: number
  readonly peers: ReadonlyArray<string>
  readonly scenarios: ReadonlyArray<Scenario>
  readonly heap: boolean
}

export interface Scenario extends Calls {
  readonly title: string
  readonly transport: Peer.Transport
}

/** Windows take about 50 ms: long enough for the clock, and short enough that all peers meet the same load. */
export const scenarios: ReadonlyArray<Scenario> = [
  { transport: "stdio", title: "no ask", asks: 0, atOnce: 1, calls: 500 },
  { transport: "stdio", title: "1 ask", asks: 1, atOnce: 1, calls: 300 },
  { transport: "stdio", title: "5 asks", asks: 5, atOnce: 1, calls: 100 },
  { transport: "stdio", title: "1 ask, 100 at once", asks: 1, atOnce: 100, calls: 500 },
  { transport: "memory", title: "no ask", asks: 0, atOnce: 1, calls: 2000 },
  { transport: "memory", title: "1 ask", asks: 1, atOnce: 1, calls: 1000 },
  { transport: "memory", title: "5 asks", asks: 5, atOnce: 1, calls: 300 },
  { transport: "memory", title: "1 ask, 100 at once", asks: 1, atOnce: 100, calls: 1000 },
  { transport: "rounds", title: "no ask", asks: 0, atOnce: 1, calls: 300 },
  { transport: "rounds", title: "1 ask", asks: 1, atOnce: 1, calls: 100 },
  { transport: "rounds", title: "5 asks", asks: 5, atOnce: 1, calls: 40 },
  { transport: "rounds", title: "1 ask, 100 at once", asks: 1, atOnce: 100, calls: 300 }
]

export const defaults: Settings = {
  generations: 3,
  rounds: 9,
  scale: 1,
  pendingAsks: 2000,
  peers: Peer.names,
  scenarios,
  heap: true
}

/** V8 continues to optimize this code for about ten thousand calls. */
const warmUp: Calls = { asks: 1, atOnce: 10, calls: 12_000 }

/** The values of one peer, one for each round. For all peers, the same index is the same round. */
export type Rounds = ReadonlyArray<number>

export interface Measured {
  readonly scenario: Scenario
  /** CPU time of the server for each call, in microseconds. */
  readonly cpu: ReadonlyMap<string, Rounds>
  /** Calls per second of wall time. */
  readonly throughput: ReadonlyMap<string, Rounds>
}

export interface Results {
  readonly settings: Settings
  readonly measured: ReadonlyArray<Measured>
  /** Bytes for each pending ask. */
  readonly heap: ReadonlyMap<string, Rounds>
}

export const measure = (settings: Settings): Effect.Effect<Results> =>
  Effect.map(
    Effect.replicateEffect(measureGeneration(settings), settings.generations),
    (generations): Results => ({
      settings,
      measured: settings.scenarios.map((scenario, index) => {
        const each = generations.map(({ measured }) => measured[index]!)
        return {
          scenario,
          cpu: merge(each.map(({ cpu }) => cpu)),
          throughput: merge(each.map(({ throughput }) => throughput))
        }
      }),
      heap: merge(generations.map(({ heap }) => heap))
    })
  )

const merge = (generations: ReadonlyArray<ReadonlyMap<string, Rounds>>): ReadonlyMap<string, Rounds> =>
  new Map(
    [...generations[0]?.keys() ?? []].map((peer) => [peer, generations.flatMap((each) => each.get(peer) ?? [])])
  )

const measureGeneration = (settings: Settings): Effect.Effect<Omit<Results, "settings">> =>
  Effect.scoped(Effect.gen(function*() {
    const needs = (wanted: Peer.Transport) => settings.scenarios.some(({ transport }) => transport === wanted)
    const needsStdio = settings.heap || needs("stdio")
    const servers = {
      stdio: needsStdio ? yield* startAll(settings, "stdio") : [],
      memory: needs("memory") ? yield* startAll(settings, "memory") : [],
      rounds: needs("rounds") ? yield* startAll(settings, "rounds") : []
    }
    const measured = yield* Effect.forEach(
      settings.scenarios,
      (scenario) => runScenario(settings, scenario, servers[scenario.transport])
    )
    return { measured, heap: settings.heap ? yield* runHeap(settings, servers.stdio) : new Map() }
  }))

type Servers = ReadonlyArray<readonly [name: string, server: ServerProcess.ServerProcess]>

const startAll = (settings: Settings, transport: Peer.Transport) =>
  Effect.forEach(
    settings.peers,
    Effect.fnUntraced(function*(name) {
      const server = yield* ServerProcess.start(name, transport)
      if (server === undefined) return []
      yield* server.run(scaled(warmUp, settings))
      return [[name, server] as const]
    }),
    { concurrency: 2 }
  ).pipe(Effect.map((servers): Servers => servers.flat()))

const runScenario = (settings: Settings, scenario: Scenario, servers: Servers): Effect.Effect<Measured> =>
  Effect.gen(function*() {
    const calls = scaled(scenario, settings)
    const cpu = new Map(servers.map(([name]) => [name, new Array<number>()]))
    const throughput = new Map(servers.map(([name]) => [name, new Array<number>()]))
    for (const [, server] of servers) yield* server.run({ ...calls, calls: calls.calls * 3 })
    for (let round = 0; round < settings.rounds; round++) {
      for (const [name, server] of turn(servers, round)) {
        const { cpuMicros, wallMillis } = yield* server.run(calls)
        cpu.get(name)!.push(cpuMicros / calls.calls)
        throughput.get(name)!.push(calls.calls / wallMillis * 1000)
      }
    }
    return { scenario, cpu, throughput }
  })

const scaled = ({ asks, atOnce, calls }: Calls, { scale }: Settings): Calls => ({
  asks,
  atOnce,
  calls: Math.max(1, Math.round(calls * scale))
})

const runHeap = (settings: Settings, servers: Servers): Effect.Effect<ReadonlyMap<string, Rounds>> =>
  Effect.gen(function*() {
    const heap = new Map(servers.map(([name]) => [name, new Array<number>()]))
    for (const [name, server] of servers) {
      yield* server.heapPerPendingAsk(settings.pendingAsks)
      for (let round = 0; round < Math.min(3, settings.rounds); round++) {
        heap.get(name)!.push(yield* server.heapPerPendingAsk(settings.pendingAsks))
      }
    }
    return heap
  })

/** Rotates the items, so that each round starts with another peer. */
const turn = <A>(items: ReadonlyArray<A>, by: number): ReadonlyArray<A> => {
  const at = by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}
