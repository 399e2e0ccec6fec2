/**
 * Three features, each with its own errors and requirements, in one server; and one of them alone in another server.
 */
import { ClientSampler, Sampler } from "@effect-sampling/core"
import { Feature, StreamableHttpServer } from "@effect-sampling/mcp-sdk"
import { Context, Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

/** The books of a shop. */
export class Shelf extends Context.Service<Shelf, {
  readonly titles: (topic: string) => Effect.Effect<ReadonlyArray<string>>
}>()("features/Shelf") {}

const shelf = Layer.succeed(Shelf, {
  titles: (topic) => Effect.succeed(topic === "cooking" ? ["Salt", "Heat"] : [])
})

const Books = Toolkit.make(
  Tool.make("find_books", {
    description: "Lists the books about a topic",
    parameters: Schema.Struct({ topic: Schema.String }),
    success: Schema.Array(Schema.String)
  }).annotate(Tool.Readonly, true)
)

/** A toolkit with its handlers: a value that the server offers to clients, and `recommend` to the model. */
export const books = Effect.provide(
  Books,
  Books.toLayer(Effect.map(Shelf, ({ titles }) => ({ find_books: ({ topic }) => titles(topic) })))
)

export class NothingFound extends Schema.TaggedError<NothingFound>("features/NothingFound")("NothingFound", {
  message: Schema.String
}) {}

/** Lets the client's model choose a book. The model may look for books with the same tool as the client. */
export const recommend = Effect.fnUntraced(function*({ topic }: { readonly topic: string }) {
  const { text } = yield* Sampler.sample(`Recommend one of our books about ${topic}, or say "nothing".`, {
    toolkit: yield* books
  })
  return text === "nothing" ? yield* new NothingFound({ message: `We have no book about ${topic}` }) : text
})

// The errors of sampling need no declaration here.
const Recommend = Feature.tool(
  Tool.make("recommend", {
    description: "Recommends a book",
    parameters: Schema.Struct({ topic: Schema.String }),
    success: Schema.String,
    failure: NothingFound
  }).annotate(Tool.Readonly, true),
  recommend
)

const Welcome = Feature.prompt(
  { name: "welcome", description: "Welcomes a customer, in words of the client's model" },
  () => Effect.map(Sampler.sample("Welcome a customer to a bookshop, in one sentence."), (reply) => reply.text)
)

const options = { version: "1.0.0", port: 0 }

/** The bookshop. What its features require is provided once, for all of them. */
export const bookshop = StreamableHttpServer.layer({
  ...options,
  name: "bookshop",
  features: [Feature.toolkit(books), Recommend, Welcome]
}).pipe(Layer.provide(shelf), Layer.provide(ClientSampler.layer))

/** A server with a single tool. */
export const adviser = StreamableHttpServer.layer({ ...options, name: "adviser", features: [Recommend] }).pipe(
  Layer.provide(shelf),
  Layer.provide(ClientSampler.layer)
)
