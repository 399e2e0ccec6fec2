import { ReplayMismatch, RoundsExceeded } from "../../SamplingError.ts"
import { withAdvice } from "../advice.ts"

/** The message for an ask that cannot be sent. */
export const notJson =
  "The request cannot be sent, because it contains a value that JSON cannot represent, perhaps in metadata or in the " +
  "input of a tool call."

const cure =
  "The handler runs again for each round, and must repeat its earlier asks before it makes new ones. Record every " +
  "value that differs between runs, such as the time or the answer of another system, with Rounds.once, or with once in " +
  "an async function."

export const askMismatch = (expected: string, found: string): ReplayMismatch =>
  withAdvice(
    new ReplayMismatch({
      expected,
      found,
      message:
        `The client has answered the ask ${expected}, but the handler does not make this ask any more: this run ` +
        `made ${found}. Start the call again.`
    }),
    cure
  )

/** Quotes the name of a once-step as its author wrote it. */
export const quoteStep = (name: string): string => JSON.stringify(name.replace(/^once /, ""))

export const sharedName = (name: string): ReplayMismatch =>
  withAdvice(
    new ReplayMismatch({
      expected: `one fiber that uses the once-step ${quoteStep(name)}`,
      found: "two fibers that use it at the same time",
      message:
        `Two fibers use the once-step ${quoteStep(name)} at the same time, so a later round could not tell their ` +
        "outcomes apart."
    }),
    "Give them different names, for example with the id of what each one works on, or run each in a Rounds.scope of " +
      "its own."
  )

export const sharedKey = (key: string): ReplayMismatch =>
  withAdvice(
    new ReplayMismatch({
      expected: `one fiber that asks with the key ${JSON.stringify(key)}`,
      found: "two fibers that ask different things with it at the same time",
      message: `Two fibers use the key ${JSON.stringify(key)} for different asks at the same time, so one could get ` +
        "the answer to the question of the other."
    }),
    "Give the asks different keys, for example with the id of what each one is about, leave the keys out, or run each " +
      "in a Rounds.scope of its own."
  )

export const roundsExceeded = (rounds: number): RoundsExceeded =>
  withAdvice(
    new RoundsExceeded({
      rounds,
      message:
        `This call has asked the client in ${rounds} rounds, and most clients stop at about that number. Ask for less ` +
        "at once."
    }),
    "Send several asks in one round, with Effect.all(asks, { concurrency: \"unbounded\" }) or Promise.all(asks), raise " +
      "Rounds.MaxRounds if your clients allow more, or let a provider answer the rest: " +
      "Sampler.fallback(ClientSampler.layer, provider)."
  )
