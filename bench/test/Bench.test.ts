import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { defaults, measure, scenarios } from "../src/measure.ts"
import * as Peer from "../src/Peer.ts"
import { format, ratio, targets } from "../src/report.ts"

const inRounds = ["effect-sampling-v2", "raw-sdk-v2", "raw-sdk-v2-unbound"]
const asking = Peer.names.filter((name) => !inRounds.includes(name))
const peersOf = { stdio: asking, memory: asking, rounds: inRounds }

// Runs the harness with so few calls that the numbers mean nothing. `measure` dies unless every peer answers every
// scenario correctly.
describe("Bench", () => {
  it.live("the bench measures every peer in every scenario", () =>
    Effect.gen(function*() {
      const results = yield* measure({ ...defaults, generations: 2, rounds: 1, scale: 0.002, pendingAsks: 5 })

      assert.strictEqual(results.measured.length, scenarios.length)
      for (const { cpu, scenario, throughput } of results.measured) {
        assert.deepStrictEqual([...cpu.keys()], peersOf[scenario.transport])
        for (const values of [...cpu.values(), ...throughput.values()]) {
          assert.strictEqual(values.length, 2)
          assert.isAbove(Math.min(...values), 0)
        }
      }
      assert.deepStrictEqual([...results.heap.keys()], peersOf.stdio)
      assert.strictEqual(targets(results).length, 5)
      for (const peer of Peer.names) assert.include(format(results), `| ${peer}`)
    }), 120_000)

  it("a ratio in memory compares the costs above the floor, round by round", () => {
    const measured = {
      scenario: scenarios.find(({ transport }) => transport === "memory")!,
      cpu: new Map([["floor", [1, 2, 1]], ["raw-sdk", [3, 6, 2]], ["effect-sampling", [4, 8, 9]]]),
      throughput: new Map()
    }
    assert.strictEqual(ratio(measured, "effect-sampling"), 1.5)
  })

  it("the report prints a scenario without a target", () => {
    const scenario = scenarios.find(({ title, transport }) => transport === "rounds" && title === "no ask")!
    const results = {
      settings: { ...defaults, peers: ["raw-sdk-v2"] },
      measured: [{ scenario, cpu: new Map([["raw-sdk-v2", [2]]]), throughput: new Map() }],
      heap: new Map()
    }
    assert.deepStrictEqual(targets(results), [])
    assert.include(format(results), "| raw-sdk-v2")
  })

  it("a ratio over stdio compares the whole cost of the server's process", () => {
    const measured = {
      scenario: scenarios.find(({ transport }) => transport === "stdio")!,
      cpu: new Map([["floor", [1]], ["raw-sdk", [2]], ["effect-sampling", [3]]]),
      throughput: new Map()
    }
    assert.strictEqual(ratio(measured, "effect-sampling"), 1.5)
  })
})
