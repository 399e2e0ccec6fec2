/**
 * Turns measurements into tables and verdicts.
 */
import type { Measured, Results, Rounds } from "./measure.ts"
import * as Peer from "./Peer.ts"

export interface Target {
  readonly title: string
  readonly limit: string
  readonly value: string
  readonly holds: boolean
}

export const median = (values: Rounds): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * Divides a peer's value by the reference's, and returns the median over all rounds. The windows of one round ran next
 * to each other, so a busy machine slows both.
 *
 * In memory the driver runs in the same process, so the cost of the floor peer, which is mostly the driver's, is
 * subtracted from both values. The subtraction makes a ratio above 1 larger, never smaller.
 */
export const ratio = ({ cpu, scenario }: Measured, peer: string): number => {
  const own = cpu.get(peer)
  const reference = cpu.get(Peer.reference(scenario.transport))
  const floor = scenario.transport === "memory" ? cpu.get(Peer.floor) : undefined
  if (own === undefined || reference === undefined) return Number.NaN
  return median(own.map((value, round) => {
    const less = floor?.[round] ?? 0
    return (value - less) / (reference[round]! - less)
  }))
}

export const targets = ({ heap, measured }: Results): ReadonlyArray<Target> => {
  const limits = { stdio: 1.15, memory: 1.35, rounds: 1.05 }
  const cpu = measured
    .filter(({ scenario: { asks, atOnce, transport } }) =>
      atOnce === 1 && (asks === 1 || (transport === "rounds" && asks > 1))
    )
    .map((one) => {
      const { title, transport } = one.scenario
      const value = ratio(one, Peer.subject(transport))
      return {
        title: `CPU of a call with ${title}, ${transport}`,
        limit: `at most ${limits[transport].toFixed(2)} x ${Peer.reference(transport)}`,
        value: `${value.toFixed(2)} x`,
        holds: value <= limits[transport]
      }
    })
  const own = heap.get(Peer.subject("stdio"))
  const reference = heap.get(Peer.reference("stdio"))
  if (own === undefined || reference === undefined) return cpu
  const extra = median(own) - median(reference)
  return [...cpu, {
    title: "heap of a pending ask",
    limit: `at most 1024 B more than ${Peer.reference("stdio")}`,
    value: `${extra.toFixed(0)} B more`,
    holds: extra <= 1024
  }]
}

export const format = (results: Results): string =>
  [
    cpuTable(results, "stdio"),
    cpuTable(results, "memory"),
    cpuTable(results, "rounds"),
    throughputTable(results),
    heapTable(results),
    targetTable(targets(results))
  ].filter((text) => text !== "").join("\n\n")

const titles: Readonly<Record<Peer.Transport, string>> = {
  stdio: "CPU of the server's process per call, stdio (microseconds, and ratio)",
  memory: "CPU per call, in memory, driver included (microseconds, and ratio of what is above the floor)",
  rounds: "CPU of the server's process per call, in rounds over stdio (microseconds, and ratio)"
}

const cpuTable = (results: Results, transport: Peer.Transport): string => {
  const measured = results.measured.filter(({ scenario }) => scenario.transport === transport)
  if (measured.length === 0) return ""
  return table(
    [titles[transport], ...measured.map(({ scenario }) => scenario.title), "each further ask"],
    results.settings.peers.filter((peer) => measured.some(({ cpu }) => cpu.has(peer))).map((peer) =>
      [peer].concat(
        measured.map((one) => cell(one.cpu.get(peer), 1, peer === Peer.floor ? Number.NaN : ratio(one, peer))),
        furtherAsk(measured, peer)
      )
    )
  )
}

const furtherAsk = (measured: ReadonlyArray<Measured>, peer: string): string => {
  const cost = (asks: number, of: string) => {
    const rounds = measured.find(({ scenario }) => scenario.asks === asks && scenario.atOnce === 1)?.cpu.get(of)
    return rounds === undefined ? Number.NaN : median(rounds)
  }
  const further = (of: string) => (cost(5, of) - cost(1, of)) / 4
  const value = further(peer)
  return Number.isNaN(value)
    ? "-"
    : peer === Peer.floor
    ? value.toFixed(1)
    : `${value.toFixed(1)} (${(value / further(Peer.reference(measured[0]!.scenario.transport))).toFixed(2)})`
}

const throughputTable = (results: Results): string => {
  const measured = results.measured.filter(({ scenario }) => scenario.atOnce > 1)
  if (measured.length === 0) return ""
  return table(
    ["Calls per second of wall time, 1 ask each, 100 at once", ...measured.map(({ scenario }) => scenario.transport)],
    results.settings.peers.map((peer) => [peer, ...measured.map(({ throughput }) => cell(throughput.get(peer), 0))])
  )
}

const heapTable = ({ heap, settings }: Results): string => {
  if (heap.size === 0) return ""
  const reference = median(heap.get(Peer.reference("stdio")) ?? [])
  return table(
    [
      `Heap per pending ask, stdio, ${settings.pendingAsks} pending (bytes)`,
      "bytes",
      `more than ${Peer.reference("stdio")}`
    ],
    settings.peers.flatMap((peer) => {
      const rounds = heap.get(peer)
      return rounds === undefined
        ? []
        : [[peer, median(rounds).toFixed(0), (median(rounds) - reference).toFixed(0)]]
    })
  )
}

const targetTable = (all: ReadonlyArray<Target>): string =>
  all.length === 0 ? "" : table(
    ["Targets of effect-sampling", "limit", "measured", ""],
    all.map(({ holds, limit, title, value }) => [title, limit, value, holds ? "holds" : "MISSED"])
  )

const cell = (rounds: Rounds | undefined, digits: number, times = Number.NaN): string =>
  rounds === undefined
    ? "-"
    : Number.isNaN(times)
    ? median(rounds).toFixed(digits)
    : `${median(rounds).toFixed(digits)} (${times.toFixed(2)})`

/** A Markdown table whose columns line up in a terminal. */
const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((text, at) => at === 0 ? text.padEnd(widths[at]!) : text.padStart(widths[at]!)).join(" | ")} |`
  const rule = `| ${
    widths.map((width, at) => at === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`).join(" | ")
  } |`
  return [line(head), rule, ...rows.map(line)].join("\n")
}
