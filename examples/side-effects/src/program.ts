/**
 * A tool with side effects before, between and after its asks. The careful variant records them with `Rounds.once`; the
 * careless variant just runs them.
 */
import { Client, ClientSampler, Content, ProviderSampler, Rounds, Sampler } from "@effect-sampling/core"
import { Feature, StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { Context, Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { PaymentFailed, Shop } from "./Shop.ts"

const Order = Schema.Struct({ order: Schema.String, articles: Schema.Array(Schema.String) })

const settings = {
  parameters: Order,
  success: Schema.Struct({ payment: Schema.String, text: Schema.String }),
  failure: Schema.Union([PaymentFailed, ...Client.ClientAskError.members])
}

export const Tools = Toolkit.make(Tool.make("checkout", settings), Tool.make("careless_checkout", settings))

/** The tools that the client's model may call. */
const Logistics = Toolkit.make(
  Tool.make("book_courier", { parameters: Schema.Struct({ city: Schema.String }), success: Schema.String })
)

/** A model that the shop pays for. */
const houseModel = ProviderSampler.layerEffect(Effect.map(Shop, (shop) => ({
  name: "house-model",
  createMessage: ({ messages }) => shop.translate(Content.text(messages.at(-1)!.content))
})))

type Once = <R>(
  name: string,
  effect: Effect.Effect<string, PaymentFailed, R>
) => Effect.Effect<string, PaymentFailed, R>

const careful: Once = (name, effect) => Rounds.once(name, effect, { success: Schema.String, failure: PaymentFailed })

const careless: Once = (_, effect) => effect

const Confirmation = Schema.Struct({ pay: Schema.Boolean })

const makeCheckout = (once: Once) =>
  Effect.gen(function*() {
    const shop = yield* Shop
    const sampler = yield* Sampler.Sampler
    const house = Context.get(yield* Layer.build(houseModel), Sampler.Sampler)
    const logistics = yield* Layer.build(
      Logistics.toLayer({ book_courier: ({ city }) => shop.bookCourier(city) })
    )

    return Effect.fnUntraced(function*({ articles, order }: typeof Order.Type) {
      // In a loop each once-step needs a name of its own.
      for (const article of articles) yield* once(`reserve ${article}`, shop.reserve(article))

      // Tool calls and completions of providers are recorded without `once`.
      yield* sampler.sample("Book a courier to Genoa.", { toolkit: Logistics }).pipe(Effect.provide(logistics))
      const note = yield* house.sample("To Italian: thank you")

      const { pay } = yield* Client.elicit(Confirmation, `Pay ${articles.length * 10} euros?`, { key: "confirm" })
      if (!pay) return { payment: "none", text: "Nothing was paid." }

      // Each attempt is recorded, a failed one as well: a later round knows that the second one succeeded.
      const payment = yield* once("charge", shop.charge(order, articles.length * 10)).pipe(Effect.retry({ times: 2 }))

      const reply = yield* sampler.sample(`Thank the customer, with ${note.text}.`)

      // The mails go out at the same time, and their names tell them apart.
      yield* Effect.forEach(["customer", "warehouse"], (to) => once(`mail ${to}`, shop.mail(to, reply.text)), {
        concurrency: "unbounded"
      })
      yield* once("record", shop.write(order, { payment }))

      const { text } = yield* sampler.sample("Say goodbye.")
      return { payment, text }
    })
  })

export const handlers = Tools.toLayer(Effect.gen(function*() {
  return Tools.of({
    checkout: yield* makeCheckout(careful),
    careless_checkout: yield* makeCheckout(careless)
  })
}))

export const server = StreamableHttpServer.layer({
  name: "side-effects",
  version: "1.0.0",
  port: 0,
  features: [Feature.toolkit(Tools)]
}).pipe(Layer.provide(handlers), Layer.provide(ClientSampler.layer))
