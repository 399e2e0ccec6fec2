import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** An option, its value, and the names of the variables that were looked up for it. */
export interface Setting<A> {
  readonly option: string
  readonly value: A
  readonly variables: ReadonlyArray<string>
}

/** A setting that is missing or cannot be used. */
export class BadSetting extends Data.TaggedError("@effect-sampling/openai/internal/settings/BadSetting")<{
  readonly option: string
  readonly error: Config.ConfigError
}> {}

/** Says what a setting is called where it was made: the option, with the variable that it was read from. */
export const nameSetting = (option: string, variables: ReadonlyArray<string> = []): string =>
  variables.length === 0 ? `the option ${option}` : `${option} (${variables.join(" or ")})`

/** Reads an option. An empty variable counts as absent, and an absent one that is required is named in the error. */
export const readSetting = <A>(option: string, config: Config.Config<A>): Effect.Effect<Setting<A>, BadSetting> =>
  Effect.gen(function*() {
    const provider = yield* ConfigProvider.ConfigProvider
    const variables = new Set<string>()
    const noting = ConfigProvider.make((path) => {
      variables.add(path.join("."))
      return Effect.map(
        provider.load(path),
        (node) => node?._tag === "Value" && node.value.trim() === "" ? undefined : node
      )
    })
    const value = yield* Effect.mapError(
      Config.option(config).parse(noting),
      (error) => new BadSetting({ option, error })
    )
    return Option.isSome(value)
      ? { option, value: value.value, variables: [...variables] }
      : yield* missingSetting(option, [...variables])
  })

/** Fails because a required setting is missing. */
export const missingSetting = (
  option: string,
  variables: ReadonlyArray<string>
): Effect.Effect<never, BadSetting> =>
  badSetting(
    option,
    `Set ${variables.length === 0 ? nameSetting(option) : variables.join(" or ")}, or leave the provider out`
  )

export const badSetting = (option: string, message: string): Effect.Effect<never, BadSetting> =>
  Effect.fail(new BadSetting({ option, error: new Config.ConfigError(new ConfigProvider.SourceError({ message })) }))
