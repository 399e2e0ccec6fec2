import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { logToStderr } from "../src/internal/logToStderr.ts"

const where = Effect.map(Logger.LogToStderr, (isStderr) => isStderr ? "stderr" : "stdout")

describe("logToStderr", () => {
  it.effect("keeps the log away from stdout where nothing was decided", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* logToStderr(where), "stderr")
    }))

  it.effect("leaves what was decided", () =>
    Effect.gen(function*() {
      for (const [decided, expected] of [[true, "stderr"], [false, "stdout"]] as const) {
        assert.strictEqual(
          yield* logToStderr(where).pipe(Effect.provideService(Logger.LogToStderr, decided)),
          expected
        )
      }
    }))
})
