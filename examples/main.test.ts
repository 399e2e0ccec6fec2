import { NodeServices } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Process from "node:process"

const root = import.meta.dirname

const demo = Path.join("eight-tools", "src", "main.ts")

const mains = Fs.globSync("*/src/main.ts", { cwd: root }).filter((main) => main !== demo).toSorted()

const run = (main: string, environment: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const handle = yield* spawner.spawn(
      ChildProcess.make(Process.execPath, ["--conditions", "@effect-sampling/source", Path.join(root, main)], {
        env: { OPENAI_API_KEY: "", OPENAI_BASE_URL: "", OPENAI_MODEL: "", ...environment },
        extendEnv: true
      })
    )
    const output = yield* handle.all.pipe(Stream.decodeText(), Stream.mkString)
    return { output, code: yield* handle.exitCode }
  }).pipe(Effect.scoped)

describe("examples", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("at least three examples have a main program", () => Effect.sync(() => assert.isAtLeast(mains.length, 3)))

    for (const main of mains) {
      it.effect(`the example ${main} ends by itself with the expected outcome`, () =>
        Effect.gen(function*() {
          const { code, output } = yield* run(main)
          assert.strictEqual(code, 0, output)
        }), 120_000)
    }

    it.effect("the demo prints who answered each of its calls, and why", () =>
      Effect.gen(function*() {
        const { code, output } = yield* run(demo)
        assert.strictEqual(code, 0, output)
        assert.strictEqual(output.match(/← client "demo-client", model scripted-model: it comes first/g)?.length, 8)
        assert.strictEqual(output.match(/← provider "openai".*: the client has no sampling/g)?.length, 8)
        assert.strictEqual(output.match(/← provider "openai".*: it comes first/g)?.length, 8)
        assert.strictEqual(output.match(/did not declare the capability "sampling"/g)?.length, 8)
      }), 120_000)

    it.effect("the demo exits with 1 when an outcome is not the expected one", () =>
      Effect.gen(function*() {
        const { code, output } = yield* run(demo, {
          OPENAI_API_KEY: "key",
          OPENAI_BASE_URL: "http://127.0.0.1:9/v1"
        })
        assert.strictEqual(code, 1, output)
      }), 120_000)
  })
})
