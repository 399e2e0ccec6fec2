import { ClientConnection, type SamplingError, SamplingMessage, type SamplingResponse } from "@effect-sampling/core"
import { Arbitrary, Context, Effect, Layer, Schema, Tracer } from "effect"

export const text = (value: string) => ({ type: "text" as const, text: value })

export const image = { type: "image" as const, data: "AAAA", mimeType: "image/png" }

export const audio = { type: "audio" as const, data: "AAAA", mimeType: "audio/wav" }

export const toolUse = (id: string) => ({ type: "tool_use" as const, id, name: "weather", input: { city: "Paris" } })

export const toolResult = (id: string) => ({ type: "tool_result" as const, toolUseId: id, content: [text("21 °C")] })

export const tool = { name: "weather", inputSchema: { type: "object" } }

export const hello = { messages: [SamplingMessage.user("Hi")], maxTokens: 10 }

export const answer = { role: "assistant", content: text("Hello"), model: "test-model", stopReason: "endTurn" }

export const response = (
  fields: Partial<SamplingResponse.SamplingResponse> = {}
): SamplingResponse.SamplingResponse => ({
  role: "assistant",
  content: text("Hello"),
  model: "test-model",
  source: { kind: "provider", name: "test" },
  passedOver: [],
  ...fields
})

/** A client that records what it is asked, and answers with `reply`. */
export const fakeClient = (
  fields: Partial<ClientConnection.ClientConnection> & { readonly reply?: unknown } = {}
) => {
  const asked: Array<ClientConnection.ClientRequest> = []
  const { reply, ...rest } = { reply: answer, ...fields }
  const connection: ClientConnection.ClientConnection = {
    client: { name: "editor", version: "1.0.0" },
    protocolVersion: "2025-11-25",
    capabilities: { sampling: {} },
    unreachable: undefined,
    ask: (request) =>
      Effect.sync(() => {
        asked.push(request)
        return reply
      }),
    ...rest
  }
  const provide = Effect.provideService(ClientConnection.ClientConnection, connection)
  return { asked, connection, provide }
}

export const failingClient = (error: SamplingError.SamplingError) => fakeClient({ ask: () => Effect.fail(error) })

/** Records the spans that are opened. */
export const recordSpans = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, layer: Layer.succeedContext(Context.make(Tracer.Tracer, tracer)) }
}

/** One of the given values. */
export const oneOf = <A>(values: ReadonlyArray<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(Arbitrary.schema(indexBelow(values.length)), (index) => values[index]!)

const indexBelow = (length: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: length - 1 }))
