/**
 * A program of `effect/ai` that could have existed before MCP: a chat that answers the questions of hotel guests with the
 * help of two tools.
 */
import { Effect, Schema } from "effect"
import { Chat, Tool, Toolkit } from "effect/ai"

const FindTable = Tool.make("find_table", {
  description: "The times at which a restaurant has a table for tonight",
  parameters: Schema.Struct({ restaurant: Schema.String, guests: Schema.Int }),
  success: Schema.Array(Schema.String)
})

const BookTable = Tool.make("book_table", {
  description: "Books a table for tonight",
  parameters: Schema.Struct({ restaurant: Schema.String, guests: Schema.Int, time: Schema.String }),
  success: Schema.Struct({ confirmation: Schema.String })
})

export const Desk = Toolkit.make(FindTable, BookTable)

export const desk = Desk.toLayer({
  find_table: ({ guests }) => Effect.succeed(guests <= 4 ? ["19:00", "21:30"] : []),
  book_table: ({ guests, restaurant, time }) =>
    Effect.succeed({ confirmation: `${restaurant}/${guests}/${time}`.toUpperCase() })
})

export const serveGuest = Effect.fn("serveGuest")(function*(wish: string) {
  const chat = yield* Chat.fromPrompt([{ role: "system", content: "You are the concierge of a hotel. Be brief." }])
  let response = yield* chat.generateText({ prompt: wish, toolkit: Desk })
  while (response.toolCalls.length > 0) response = yield* chat.generateText({ prompt: [], toolkit: Desk })
  return response.text
})
