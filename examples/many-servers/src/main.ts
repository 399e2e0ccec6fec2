/**
 * Runs the fleet, and checks that calls survive a load balancer without memory, a crash of a server, and the rotation of
 * keys.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Deferred, Effect, Fiber, FileSystem, Schema } from "effect"
import * as Assert from "node:assert"
import { randomBytes } from "node:crypto"
import { writeStory } from "./client.ts"
import * as Fleet from "./fleet.ts"
import { chapters, Entry } from "./program.ts"

const makeKey = (id: string): string => `${id}:${randomBytes(32).toString("base64")}`

const decodeEntry = Schema.decodeUnknownEffect(Schema.fromJsonString(Entry))

const story = "[the storm.] [the lighthouse.] [the rescue.]"

/** The running fleet, and the file in which its servers write what they run. */
interface Stage {
  readonly fleet: Effect.Success<ReturnType<typeof Fleet.make>>
  readonly ledger: string
}

/** Checks that each once-step of a story ran once, and returns the process of each run. */
const runsOf = Effect.fnUntraced(function*({ ledger }: Stage, title: string) {
  const files = yield* FileSystem.FileSystem
  const lines = (yield* files.readFileString(ledger)).trimEnd().split("\n")
  const entries = (yield* Effect.forEach(lines, (line) => decodeEntry(line)))
    .filter(({ what }) => what.startsWith(`${title}: `))
    .map(({ pid, what }) => ({ pid, what: what.slice(title.length + 2) }))
  Assert.deepStrictEqual(
    entries.map(({ what }) => what).filter((what) => what !== "run"),
    chapters.map((chapter) => `save ${chapter}`)
  )
  const runs = entries.filter(({ what }) => what === "run").map(({ pid }) => pid)
  Assert.strictEqual(runs.length, chapters.length + 1)
  for (const [index, pid] of runs.entries()) Assert.notStrictEqual(pid, runs[index - 1])
  return runs
})

const eachRoundElsewhere = Effect.fnUntraced(function*(stage: Stage) {
  const { fleet } = stage
  yield* Console.log(`1. Each round in another process: ${(yield* fleet.pids).join(", ")}`)
  Assert.strictEqual(yield* writeStory(fleet.url, "balanced", () => Effect.void), story)
  yield* Console.log(`   runs in ${(yield* runsOf(stage, "balanced")).join(", ")}; each chapter was saved once`)
})

const serverIsKilled = Effect.fnUntraced(function*(stage: Stage) {
  const { fleet } = stage
  yield* Console.log("2. A server is killed between two rounds")
  let replaced = { killed: 0, started: 0 }
  const survived = yield* writeStory(fleet.url, "killed", (prompt) =>
    prompt.endsWith("the lighthouse.")
      ? Effect.orDie(fleet.killNext).pipe(Effect.map((pids) => {
        replaced = pids
      }))
      : Effect.void)
  Assert.strictEqual(survived, story)
  const afterKill = yield* runsOf(stage, "killed")
  Assert.strictEqual(afterKill[2], replaced.started)
  yield* Console.log(
    `   ${replaced.killed} was killed, ${replaced.started} took its place; runs in ${afterKill.join(", ")}`
  )
})

const keysRotate = Effect.fnUntraced(function*(stage: Stage, oldKey: string, newKey: string) {
  const { fleet } = stage
  yield* Console.log("3. A user takes long to answer, and meanwhile the keys change")
  const asked = yield* Deferred.make<void>()
  const answered = yield* Deferred.make<void>()
  const late = yield* Effect.forkChild(
    writeStory(fleet.url, "late", () => Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(answered)))
  )
  yield* Deferred.await(asked)

  const rotations: Record<string, string> = {
    "the storm.": `${oldKey},${newKey}`,
    "the lighthouse.": `${newKey},${oldKey}`,
    "the rescue.": newKey
  }
  const rotated = yield* writeStory(fleet.url, "rotated", (prompt) => {
    const [chapter, keys] = Object.entries(rotations).find(([chapter]) => prompt.endsWith(chapter))!
    const ids = keys.split(",").map((key) => key.split(":")[0])
    return Effect.orDie(fleet.restart(keys)).pipe(
      Effect.andThen(Console.log(`   before ${chapter} all servers restarted with ${ids.join(", ")}`))
    )
  })
  Assert.strictEqual(rotated, story)
  yield* Console.log(`   a call in progress went on; runs in ${(yield* runsOf(stage, "rotated")).join(", ")}`)

  yield* Deferred.succeed(answered, undefined)
  const refused = yield* Effect.flip(Fiber.join(late))
  yield* Console.log(`   the late answer is refused: ${refused.message}`)
  Assert.match(refused.message, /sealed with a key that this server does not have/)
})

const main = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const directory = yield* files.makeTempDirectoryScoped()
  const [oldKey, newKey] = [makeKey("2026-11"), makeKey("2026-12")]
  const fleet = yield* Fleet.make({ directory, keys: oldKey })
  const stage = { fleet, ledger: `${directory}/ledger` }
  yield* eachRoundElsewhere(stage)
  yield* serverIsKilled(stage)
  yield* keysRotate(stage, oldKey, newKey)
}).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

NodeRuntime.runMain(main)
