import { ReplayMismatch, RoundsExceeded } from "../../SamplingError.ts"

/** The message for an ask that cannot be sent. */
export const notJson =
  "The request cannot be sent: it holds something that JSON cannot carry. Look at metadata and at the " +
  "inputs of tool calls."

const cure =
  "A handler is run again for each round, and has to ask the same as before until it comes to something new. " +
  "Record what differs between runs, such as the time or what another system answered, with Rounds.once."

export const askMismatch = (expected: string, found: string): ReplayMismatch =>
  new ReplayMismatch({
    expected,
    found,
    message: `Expected ${expected}, as in the last run, but found ${found}. ${cure}`
  })

/** Quotes the name of a once-step as its author wrote it. */
export const quoteStep = (name: string): string => JSON.stringify(name.replace(/^once /, ""))

export const stepMismatch = (name: string): ReplayMismatch =>
  new ReplayMismatch({
    expected: `the step ${quoteStep(name)} in the fiber that ran it before`,
    found: "it in another fiber",
    message: `The step ${quoteStep(name)} was recorded in another fiber, which has not come to it in this run. ` +
      "Give steps that run at the same time names of their own: put what tells them apart into the name."
  })

export const roundsExceeded = (rounds: number): RoundsExceeded =>
  new RoundsExceeded({
    rounds,
    message:
      `The client was asked in ${rounds} rounds, and clients stop at about that many. Ask for more at once, with ` +
      `Effect.all(asks, { concurrency: "unbounded" }), raise Rounds.MaxRounds if your clients take more, or let a ` +
      "provider answer the rest: Sampler.fallback(ClientSampler.layer, provider)."
  })
