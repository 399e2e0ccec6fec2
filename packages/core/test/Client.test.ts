import { Client, ClientConnection } from "@effect-sampling/core"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"

const connection = (
  elicitation: ClientConnection.ClientCapabilities["elicitation"]
): ClientConnection.ClientConnection => ({
  client: undefined,
  protocolVersion: "2025-11-25",
  capabilities: { elicitation },
  unreachable: undefined,
  ask: (_, decode) => Effect.fromResult(decode({ action: "accept", content: { name: "Ada" } }))
})

const elicit = (elicitation: ClientConnection.ClientCapabilities["elicitation"]) =>
  Client.elicit(Schema.Struct({ name: Schema.String }), "What is your name?").pipe(
    Effect.provideService(ClientConnection.ClientConnection, connection(elicitation))
  )

describe("Client.elicit", () => {
  it.effect.each([{}, { form: {} }, { form: {}, url: {} }])(
    "Client.elicit asks a client that declared elicitation as %o",
    (elicitation) =>
      Effect.gen(function*() {
        expect(yield* elicit(elicitation)).toStrictEqual({ name: "Ada" })
      })
  )

  it.effect.each([undefined, { url: {} }])(
    "Client.elicit does not ask a client without forms, which declared elicitation as %o",
    (elicitation) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(elicit(elicitation))
        expect(error).toMatchObject({ _tag: "ClientUnsupported", missing: "elicitation" })
      })
  )
})
