/** The tools of the scenarios. `Log` records the handlers that ran. */
import { Content, ToolLoop } from "@effect-sampling/core"
import { Context, Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

class Log extends Context.Service<Log, Array<string>>()("test/Log") {}

class Refused extends Schema.TaggedError<Refused>("test/scenarios/Refused")("Refused", {
  why: Schema.String
}) {}

class Place extends Schema.Class<Place>("test/scenarios/Place")({ city: Schema.String }) {}

const founded = Schema.decodeSync(Schema.DateFromString)("2000-01-01T00:00:00.000Z")

const Add = Tool.make("add", {
  description: "Adds two numbers",
  parameters: Schema.Struct({ a: Schema.Finite, b: Schema.Finite, note: Schema.optionalKey(Schema.String) }),
  success: Schema.Finite
})

const Lookup = Tool.make("lookup", {
  parameters: Place,
  success: Schema.Struct({ city: Schema.String, founded: Schema.DateFromString, mayor: Schema.NullOr(Schema.String) })
})

const Draw = Tool.make("draw", { success: Schema.Array(Content.Content), toModelOutput: Content.toModelOutput })

const Broken = Tool.make("broken", { success: Schema.String })

const Strict = Tool.make("strict", { success: Schema.String, failure: Refused })

const Lenient = Tool.make("lenient", { success: Schema.String, failure: Refused, failureMode: "return" })

const Delete = Tool.make("delete", {
  parameters: Schema.Struct({ id: Schema.Int }),
  success: Schema.String,
  needsApproval: true
})

const Slow = Tool.make("slow", { parameters: Schema.Struct({ name: Schema.String }), success: Schema.String })

const Alone = Tool.make("alone", { parameters: Schema.Struct({ name: Schema.String }), success: Schema.String })
  .annotate(ToolLoop.Sequential, true)

export const Tools = Toolkit.make(Add, Lookup, Draw, Broken, Strict, Lenient, Delete, Slow, Alone)

/** Yields until all other calls of the batch had the chance to start. The call named "a" ends last. */
const slowly = (log: Array<string>, name: string) =>
  Effect.gen(function*() {
    log.push(`${name} starts`)
    for (let turn = 0; turn < (name === "a" ? 20 : 10); turn++) yield* Effect.yieldNow
    log.push(`${name} ends`)
    return name
  })

const handlers = Tools.toLayer(Effect.gen(function*() {
  const log = yield* Log
  const ran = <A>(name: string, value: A) => Effect.sync(() => (log.push(name), value))
  return Tools.of({
    add: ({ a, b }) => ran(`add ${a} ${b}`, a + b),
    lookup: ({ city }) => ran(`lookup ${city}`, { city, founded, mayor: null }),
    draw: () => ran("draw", [{ type: "text" as const, text: "a dot" }, dot]),
    broken: () => Effect.andThen(ran("broken", ""), Effect.die(new Error("password: 4711"))),
    strict: () => Effect.fail(new Refused({ why: "not today" })),
    lenient: () => Effect.fail(new Refused({ why: "not today" })),
    delete: ({ id }) => ran(`delete ${id}`, "deleted"),
    slow: ({ name }) => slowly(log, name),
    alone: ({ name }) => slowly(log, name)
  })
}))

const dot = { type: "image" as const, data: "AAAA", mimeType: "image/png" }

/** Runs an effect with fresh handlers, and adds their log to its result. */
export const logged = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<
  A & { readonly log: ReadonlyArray<string> },
  E,
  Exclude<R, Tool.HandlersFor<typeof Tools.tools>>
> =>
  Effect.suspend(() => {
    const log: Array<string> = []
    return Effect.map(
      Effect.provide(effect, Layer.provide(handlers, Layer.succeed(Log, log)), { local: true }),
      (result) => ({ ...result, log })
    )
  })

const given = new WeakMap<object, ReadonlyArray<Tool.Any>>()

/** Makes a toolkit of tools that may share names. It holds the last of several tools of one name. */
export const toolkitOf = <const Tools extends ReadonlyArray<Tool.Any>>(...tools: Tools) => {
  const toolkit = Toolkit.make(...tools)
  given.set(toolkit, tools)
  return toolkit
}

/** Lists the tools of a toolkit. For one of `toolkitOf`, the list includes all tools that share a name. */
export const toolsOf = (toolkit: { readonly tools: Readonly<Record<string, Tool.Any>> }): ReadonlyArray<Tool.Any> =>
  given.get(toolkit) ?? Object.values(toolkit.tools)
