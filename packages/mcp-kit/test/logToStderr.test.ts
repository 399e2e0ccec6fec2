import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { logToStderr } from "../src/internal/logToStderr.ts"

const where = Effect.map(Logger.LogToStderr, (isStderr) => isStderr ? "stderr" : "stdout")

describe("logToStderr", () => {
  it.effect("the log goes to stderr by default", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* logToStderr(where), "stderr")
    }))

  it.effect("a stream that was already chosen for the log is kept", () =>
    Effect.gen(function*() {
      for (const [decided, expected] of [[true, "stderr"], [false, "stdout"]] as const) {
        assert.strictEqual(
          yield* logToStderr(where).pipe(Effect.provideService(Logger.LogToStderr, decided)),
          expected
        )
      }
    }))
})
