/**
 * A tool whose call takes several rounds, and the server that every process runs. The processes share only the key ring
 * (`SAMPLING_STATE_KEYS`) and the ledger, a file (`LEDGER`).
 */
import { ClientSampler, RequestState, Rounds, Sampler, SamplingError } from "@effect-sampling/core"
import { Feature, StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { Config, Context, Effect, FileSystem, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import * as Process from "node:process"

/** An event, and the process in which it happened. */
export const Entry = Schema.Struct({ pid: Schema.Int, what: Schema.String })

export class Ledger extends Context.Service<Ledger, {
  readonly write: (what: string) => Effect.Effect<void>
}>()("many-servers/Ledger") {}

const encodeEntry = Schema.encodeEffect(Schema.fromJsonString(Entry))

/** Appends one line to the file for each event. */
export const fileLedger = Layer.effect(
  Ledger,
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const path = yield* Config.String("LEDGER")
    return {
      write: (what) =>
        encodeEntry({ pid: Process.pid, what }).pipe(
          Effect.flatMap((line) => files.writeFileString(path, `${line}\n`, { flag: "a" })),
          Effect.orDie
        )
    }
  })
)

export const chapters = ["the storm", "the lighthouse", "the rescue"]

export const Tools = Toolkit.make(
  Tool.make("write_story", {
    parameters: Schema.Struct({ title: Schema.String }),
    success: Schema.String,
    failure: SamplingError.SamplingError
  })
)

export const handlers = Tools.toLayer(Effect.gen(function*() {
  const sampler = yield* Sampler.Sampler
  const ledger = yield* Ledger
  return Tools.of({
    write_story: Effect.fnUntraced(function*({ title }) {
      yield* ledger.write(`${title}: run`)
      const story: Array<string> = []
      for (const chapter of chapters) {
        const { text } = yield* sampler.sample(`${title}: write of ${chapter}.`)
        yield* Rounds.once(`save ${chapter}`, ledger.write(`${title}: save ${chapter}`), { success: Schema.Void })
        story.push(text)
      }
      return story.join(" ")
    })
  })
}))

export const server = StreamableHttpServer.layer({
  name: "many-servers",
  version: "1.0.0",
  port: 0,
  features: [Feature.toolkit(Tools)]
}).pipe(
  Layer.provide(handlers),
  Layer.provide(ClientSampler.layer),
  Layer.provide(fileLedger),
  Layer.provide(RequestState.layerConfig())
)
