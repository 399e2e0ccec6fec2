import { RequestState, Sampler } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { Effect, Layer } from "effect"
import { Base64Url } from "effect/encoding"

/** States that are not sealed, to see what is in them. */
export const openStates = Layer.succeed(RequestState.RequestState, {
  seal: (journal) => Effect.succeed(Base64Url.encode(journal)),
  open: (state) => Effect.orDie(Effect.fromResult(Base64Url.decode(state)))
})

/** The first request of a call. */
export const baseCall: RoundRunner.Call = {
  method: "tools/call",
  name: "tool",
  arguments: {},
  principal: undefined,
  client: { name: "test client", version: "1" },
  protocolVersion: "2026-07-28",
  capabilities: { sampling: { tools: {}, context: {} }, elicitation: {}, roots: {} },
  inputResponses: undefined,
  requestState: undefined
}

interface Log {
  readonly rounds: Array<ReadonlyArray<string>>
  readonly states: Array<string | undefined>
}

/** What an official client does: it answers all asks of a round and calls again. */
export const drive = <A, E, R>(
  handler: Effect.Effect<A, E, R>,
  answer: (request: RoundRunner.InputRequired["inputRequests"][string], key: string) => unknown,
  options: { readonly call?: Partial<RoundRunner.Call>; readonly maxRounds?: number } = {}
) =>
  Effect.gen(function*() {
    const log: Log = { rounds: [], states: [] }
    const call = { ...baseCall, ...options.call }
    for (let round = 0; round < (options.maxRounds ?? 20); round++) {
      const ended = yield* RoundRunner.run(handler, call)
      if (ended._tag === "Complete") return { value: ended.value, ...log }
      log.rounds.push(Object.keys(ended.inputRequests))
      log.states.push(ended.requestState)
      call.requestState = ended.requestState
      call.inputResponses = JSON.parse(JSON.stringify(Object.fromEntries(
        Object.entries(ended.inputRequests).map(([key, request]) => [key, answer(request, key)])
      )))
    }
    return yield* Effect.die(new Error("the client gave up"))
  })

/** A model that repeats the last message. */
export const echo = ({ params }: { readonly params: object }) => ({
  role: "assistant",
  model: "echo",
  stopReason: "endTurn",
  content: { type: "text", text: `<${lastText(params)}>` }
})

const lastText = (params: object): string =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a test's own requests
  (params as { messages: ReadonlyArray<{ content: { text: string } }> }).messages.at(-1)!.content.text

/** Asks for one completion, and gives its text. */
export const ask = (text: string, key?: string) =>
  Effect.map(Sampler.sample(text, key === undefined ? {} : { key }), (reply) => reply.text)

/** The answer of a client that says this. */
export const say = (text: string) => ({ role: "assistant", model: "m", content: { type: "text", text } })

export const unbounded = { concurrency: "unbounded" } as const
