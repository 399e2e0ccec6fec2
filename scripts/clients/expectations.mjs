// The situations in which each client is driven, and what has to come of them: pure functions.

const text = "one two three"

const tools = {
  count: { name: "count_words", arguments: { text } },
  summarise: { name: "summarise", arguments: { text } },
  sentiment: { name: "analyze_sentiment", arguments: { text } },
  story: { name: "creative_writing", arguments: { topic: "a lighthouse" } },
  guests: { name: "ask_guests", arguments: {} },
  dinner: { name: "plan_dinner", arguments: { season: "autumn" } }
}

/** The sentence of the server that says why it cannot sample. */
const sentence = /did not declare the capability "sampling"/

const both = (offers) => offers.includes("sampling") && offers.includes("elicitation")

/** The calls of a situation, each with the text that the client's user has to read. */
export const situations = {
  bare: {
    behaviour: "client",
    offers: () => [],
    calls: () => [
      { call: tools.count, says: /words.*3/s },
      { call: tools.summarise, says: sentence, fails: true },
      { call: tools.sentiment, says: sentence, fails: true }
    ]
  },
  provider: {
    behaviour: "fallback",
    offers: () => [],
    calls: () => [
      { call: tools.summarise, says: /by the provider/ },
      { call: tools.sentiment, says: /positive/ }
    ]
  },
  offering: {
    behaviour: "client",
    offers: (offers) => offers,
    calls: (offers) => [
      ...(offers.includes("sampling")
        ? [
          { call: tools.summarise, says: /by the client/ },
          { call: tools.sentiment, says: /positive/ },
          { call: tools.story, says: /by the client/ }
        ]
        : []),
      ...(offers.includes("elicitation") ? [{ call: tools.guests, says: /6 guests/ }] : []),
      ...(both(offers) ? [{ call: tools.dinner, says: /by the client/ }] : [])
    ]
  }
}

const legacy = "2025-11-25"
const modern = "2026-07-28"

/** The revisions that a connection may end up with. */
const revisions = ({ adapter, client, era, transport }) =>
  era === "legacy" || adapter === "mcp-sdk"
    ? [legacy]
    : client.probes?.includes(transport)
    ? [modern, legacy]
    : [modern]

const methods = { sampling: "sampling/createMessage", elicitation: "elicitation/create" }

const shorten = (text) => {
  const line = text.replaceAll(/\s+/g, " ")
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}

const problemOf = ({ call, fails = false, says }, outcome) => {
  if (outcome === undefined) return `${call.name} was not called`
  const got = `${outcome.isError ? "the error " : ""}"${shorten(outcome.text)}"`
  if (!says.test(outcome.text)) return `${call.name}: expected ${says}, got ${got}`
  if (outcome.isError !== fails) return `${call.name}: expected ${fails ? "an error" : "a result"}, got ${got}`
}

/** Everything in which a run differs from what is expected of it. */
export const problemsOf = (run) => {
  const { outcome, situation, wire } = run
  if (outcome === undefined) return [`the client ended without an outcome: ${shorten(run.output)}`]
  const offers = situation.offers(run.client.offers[run.era])
  const allowed = revisions(run)
  return [
    ...(allowed.includes(wire.revision) ? [] : [`expected ${allowed.join(" or ")}, got ${wire.revision}`]),
    ...(outcome.tools.includes(tools.dinner.name) ? [] : [`the list of tools has only ${outcome.tools.join(", ")}`]),
    ...situation.calls(offers).flatMap((expected, index) => problemOf(expected, outcome.outcomes[index]) ?? []),
    ...Object.entries(methods).flatMap(([capability, method]) => {
      const asked = wire.asks.includes(method)
      return asked === offers.includes(capability) ? [] : [`the server ${asked ? "sent" : "did not send"} ${method}`]
    }),
    ...(!offers.includes("sampling") && wire.declares.includes("sampling") ? ["it declared sampling"] : [])
  ]
}
