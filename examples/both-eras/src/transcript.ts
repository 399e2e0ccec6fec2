/**
 * Turns the messages of one call into a readable transcript.
 */
import { Schema } from "effect"

export interface Message {
  readonly from: "client" | "server"
  readonly message: object
}

/** An ask of the server with the client's answer. */
interface Asked {
  readonly key: string | undefined
  readonly question: string
  readonly answer: string
}

/** The asks of one moment: a single one up to 2025-11-25, those of a round later. */
export interface Turn {
  readonly asked: ReadonlyArray<Asked>
  /** The length of the state that the client held meanwhile; undefined if the call waited. */
  readonly stateBytes: number | undefined
}

const Text = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })

const Request = Schema.Union([
  Schema.Struct({
    method: Schema.Literal("sampling/createMessage"),
    params: Schema.Struct({ messages: Schema.NonEmptyArray(Schema.Struct({ content: Text })) })
  }),
  Schema.Struct({
    method: Schema.Literal("elicitation/create"),
    params: Schema.Struct({ message: Schema.String })
  })
])

const Response = Schema.Union([
  Schema.Struct({ content: Text, model: Schema.String }),
  Schema.Struct({ action: Schema.Literal("accept"), content: Schema.Unknown })
])

const isPushed = Schema.is(Schema.Struct({ id: Schema.Int, method: Schema.String }))
const isRequest = Schema.is(Request)
const isResult = Schema.is(Schema.Struct({ id: Schema.Int, result: Response }))
const isInputRequired = Schema.is(Schema.Struct({
  result: Schema.Struct({
    resultType: Schema.Literal("input_required"),
    inputRequests: Schema.Record(Schema.String, Request),
    requestState: Schema.String
  })
}))
const isCall = Schema.is(Schema.Struct({ method: Schema.Literal("tools/call") }))
const isRetry = Schema.is(Schema.Struct({
  method: Schema.Literal("tools/call"),
  params: Schema.Struct({ inputResponses: Schema.Record(Schema.String, Response) })
}))

const question = (request: typeof Request.Type): string =>
  request.method === "elicitation/create" ? request.params.message : request.params.messages[0].content.text

const answer = (response: typeof Response.Type): string =>
  "action" in response
    ? `the user: ${JSON.stringify(response.content)}`
    : `${response.model}: ${response.content.text}`

/** Up to 2025-11-25 the server sends requests, and each answer has the id of its request. */
const pushed = (messages: ReadonlyArray<Message>): ReadonlyArray<Turn> =>
  messages.flatMap(({ from, message }) => {
    if (from === "client" || !isPushed(message) || !isRequest(message)) return []
    const response = messages.find((other) =>
      other.from === "client" && isResult(other.message) && other.message.id === message.id
    )?.message
    return isResult(response)
      ? [{
        asked: [{ key: undefined, question: question(message), answer: answer(response.result) }],
        stateBytes: undefined
      }]
      : []
  })

/** From 2026-07-28 on a result carries the asks, and the next call carries the answers. */
const inRounds = (messages: ReadonlyArray<Message>): ReadonlyArray<Turn> =>
  messages.flatMap(({ message }, index) => {
    const retry = messages[index + 1]?.message
    return isInputRequired(message) && isRetry(retry)
      ? [{
        asked: Object.entries(message.result.inputRequests).map(([key, request]) => ({
          key,
          question: question(request),
          answer: answer(retry.params.inputResponses[key]!)
        })),
        stateBytes: message.result.requestState.length
      }]
      : []
  })

export const read = (messages: ReadonlyArray<Message>) => ({
  calls: messages.filter(({ message }) => isCall(message)).length,
  turns: [...pushed(messages), ...inRounds(messages)]
})

export const format = (turns: ReadonlyArray<Turn>): string =>
  turns.flatMap(({ asked, stateBytes }, index) => [
    ...(stateBytes === undefined ? [] : [`  round ${index + 1}, then the client holds ${stateBytes} bytes of state`]),
    ...asked.map(({ answer, key, question }) =>
      [...(key === undefined ? [] : [key.slice(0, 12).padEnd(12)]), question.padEnd(70), answer].map((cell) =>
        `  ${cell}`
      ).join("")
    )
  ]).join("\n")
