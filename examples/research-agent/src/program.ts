/**
 * A tool that lets a model do research: the model searches and reads with two tools, and returns findings that fit a Schema.
 */
import { ClientSampler, Sampler, SamplingError } from "@effect-sampling/core"
import { Feature, StdioServer } from "@effect-sampling/mcp-sdk"
import { Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

/** The tools that the model may call while it researches. */
const Library = Toolkit.make(
  Tool.make("search", {
    description: "Searches the library and returns the ids and titles of notes",
    parameters: Schema.Struct({ query: Schema.String }),
    success: Schema.Array(Schema.Struct({ id: Schema.String, title: Schema.String }))
  }).annotate(Tool.Readonly, true),
  Tool.make("read", {
    description: "Reads a note",
    parameters: Schema.Struct({ id: Schema.String }),
    success: Schema.String,
    failure: Schema.String,
    failureMode: "return"
  }).annotate(Tool.Readonly, true)
)

const notes = [
  { id: "n1", title: "Lighthouse of Genoa", text: "The Lanterna of Genoa is 77 metres tall and was built in 1543." },
  { id: "n2", title: "Lighthouse of Alexandria", text: "The Pharos stood until the earthquakes of the 14th century." },
  { id: "n3", title: "Harbour of Genoa", text: "The harbour of Genoa is the busiest of Italy." }
]

const library = Library.toLayer({
  search: ({ query }) => {
    const words = query.toLowerCase().split(/\W+/)
    return Effect.succeed(
      notes.filter(({ title }) => words.some((word) => word.length > 3 && title.toLowerCase().includes(word)))
        .map(({ id, title }) => ({ id, title }))
    )
  },
  read: ({ id }) => {
    const note = notes.find((each) => each.id === id)
    return note === undefined ? Effect.fail(`There is no note ${id}`) : Effect.succeed(note.text)
  }
})

export const Findings = Schema.Struct({
  answer: Schema.String,
  findings: Schema.NonEmptyArray(Schema.Struct({ claim: Schema.String, source: Schema.String })),
  confidence: Schema.Literals(["low", "medium", "high"])
})

const Tools = Toolkit.make(
  Tool.make("research", {
    description: "Answers a question from the library, with sources",
    parameters: Schema.Struct({ question: Schema.String }),
    success: Findings,
    failure: SamplingError.SamplingError
  }).annotate(Tool.Readonly, true)
)

const handlers = Tools.toLayer(Effect.gen(function*() {
  const sampler = yield* Sampler.Sampler
  const services = yield* Effect.context<Tool.HandlersFor<typeof Library.tools>>()
  return Tools.of({
    research: ({ question }) =>
      sampler.sampleObject(Findings, question, {
        toolkit: Library,
        systemPrompt: "Search the library, read what fits, and cite the ids of the notes that you used.",
        concurrency: 4,
        maxTurns: 8,
        maxTokens: 1000
      }).pipe(
        Effect.map(({ value }) => value),
        Effect.provide(services)
      )
  })
}))

export const serve = StdioServer.serve({
  name: "research-agent",
  version: "1.0.0",
  features: [Feature.toolkit(Tools)]
}).pipe(Effect.provide(handlers.pipe(Layer.provide(library), Layer.provide(ClientSampler.layer))))
