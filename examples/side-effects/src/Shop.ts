/**
 * The outside world. Its side effects cannot be undone, and it counts them.
 */
import { Context, Effect, Schema } from "effect"

export class PaymentFailed extends Schema.TaggedError<PaymentFailed>("side-effects/PaymentFailed")("PaymentFailed", {
  message: Schema.String
}) {}

export class Shop extends Context.Service<Shop, {
  readonly reserve: (article: string) => Effect.Effect<string>
  readonly bookCourier: (city: string) => Effect.Effect<string>
  readonly charge: (order: string, amount: number) => Effect.Effect<string, PaymentFailed>
  readonly mail: (to: string, text: string) => Effect.Effect<string>
  readonly write: (order: string, record: object) => Effect.Effect<string>
  readonly translate: (text: string) => Effect.Effect<string>
}>()("side-effects/Shop") {}

/** How often each side effect happened. */
export type Counts = Map<string, number>

/** The first attempt to charge an order fails. */
export const make = (counts: Counts): Shop["Service"] => {
  const count = (what: string) =>
    Effect.sync(() => {
      const times = (counts.get(what) ?? 0) + 1
      counts.set(what, times)
      return times
    })
  return {
    reserve: (article) => Effect.map(count(`reserve ${article}`), (times) => `${article} #${times}`),
    bookCourier: (city) => Effect.map(count("book a courier"), (times) => `courier ${times} to ${city}`),
    charge: (order, amount) =>
      Effect.flatMap(count("attempt to charge"), (attempt) =>
        attempt === 1
          ? Effect.fail(new PaymentFailed({ message: `The bank did not answer for ${order}` }))
          : Effect.map(count("charge the card"), (times) => `payment ${times} of ${amount}`)),
    mail: (to) => Effect.as(count(`mail the ${to}`), "sent"),
    write: (order) => Effect.as(count("write the record"), `${order}.json`),
    translate: (text) => Effect.map(count("pay for a translation"), () => `« ${text} »`)
  }
}
