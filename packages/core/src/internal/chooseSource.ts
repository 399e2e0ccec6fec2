import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { configError } from "./configError.ts"

/** The choice that the environment made. Without a provider, only the client is asked. */
export interface Choice {
  readonly behavior: "client" | "fallback" | "always"
  readonly provider: string | undefined
}

/** Reads `SAMPLING_PROVIDER` and `SAMPLING_BEHAVIOR`. `names` are the names of the providers that the server has. */
export const chooseSource = (names: ReadonlyArray<string>): Effect.Effect<Choice, Config.ConfigError> =>
  Effect.gen(function*() {
    const expected = names.length === 0 ? "this server has no provider" : `set it to one of ${names.join(", ")}`
    const chosen = yield* Config.option(Config.String("SAMPLING_PROVIDER"))
    if (Option.isSome(chosen) && !names.includes(chosen.value)) {
      return yield* configError(`SAMPLING_PROVIDER is not the name of a provider of this server: ${expected}`)
    }
    const behavior = yield* Config.Literals(["client", "fallback", "always"], "SAMPLING_BEHAVIOR").pipe(
      Config.withDefault(Option.isSome(chosen) ? "fallback" : "client")
    )
    if (behavior === "client") return { behavior, provider: undefined }
    return Option.isSome(chosen)
      ? { behavior, provider: chosen.value }
      : yield* configError(
        `SAMPLING_BEHAVIOR is "${behavior}", which needs a provider, but SAMPLING_PROVIDER is not set: ${expected}`
      )
  })
