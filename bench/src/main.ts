/**
 * The program of `npm run bench`, which prints the tables. With `-- --check` it exits with 1 when a target is missed.
 * `--only memory`, `--only "stdio, 1 ask"`, `--only heap`, `--peers raw-sdk,effect-sampling`, `--rounds 5` and
 * `--generations 1` shorten the run.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { cpus } from "node:os"
import process from "node:process"
import { parseArgs } from "node:util"
import { defaults, measure, type Settings } from "./measure.ts"
import { format, targets } from "./report.ts"

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    rounds: { type: "string", default: String(defaults.rounds) },
    generations: { type: "string", default: String(defaults.generations) },
    peers: { type: "string", default: defaults.peers.join(",") },
    only: { type: "string", default: "" }
  }
})

const settings: Settings = {
  ...defaults,
  generations: Number(values.generations),
  rounds: Number(values.rounds),
  peers: values.peers.split(","),
  scenarios: defaults.scenarios.filter(({ title, transport }) => `${transport}, ${title}`.startsWith(values.only)),
  heap: "heap".startsWith(values.only)
}

const main = Effect.gen(function*() {
  const processors = cpus()
  yield* Console.log(
    `Node ${process.version}, ${process.platform} ${process.arch}, ${processors.length} cores (${
      processors[0]?.model.trim() ?? "unknown"
    })\n`
  )
  const start = performance.now()
  const results = yield* measure(settings)
  yield* Console.log(format(results))
  yield* Console.log(
    `\n${values.generations} generations of ${values.rounds} rounds in ${
      ((performance.now() - start) / 1000).toFixed(0)
    } s`
  )
  if (values.check && targets(results).some(({ holds }) => !holds)) process.exitCode = 1
})

await Effect.runPromise(main)
