import { breaches } from "@effect-sampling/scenarios/checkRequests"
import { scenarios } from "@effect-sampling/scenarios/scenarios"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { runNaive } from "./scenarios/naive.ts"

/**
 * Which scenarios are about which weakness of the naive design. They hold on every source; here they must fail.
 *
 * The weaknesses are those of FastMCP 3.4's sampling, as its source and its runs show them:
 *
 * - W1: a wrong object is answered twice, or next to text, which no client takes
 * - W2: references in the JSON Schema of a list or a union point nowhere
 * - W3: the stop reason decides, not the content: calls are dropped, or turns burned
 * - W4: error texts use the name of a type, and crash where it has none
 * - W5: arguments are not checked, results are not JSON, images cannot be returned
 * - W6: a tool result next to text is lost, errors are not marked, names are guessed from ids
 * - W7, W8: stop reasons are lost, and all text but the first block
 * - W9: a tool choice is sent without tools, or the tools are dropped with it
 * - W10: two tools of one name, and a user's tool with the name of the final one
 * - W12, W16: no limit that can be set, history lost on failure, texts of defects shown
 * - W18: repairs are counted apart, and the count starts anew
 * - W19: a valid object does not stop the calls next to it
 * - W20: handlers block each other, and do not get their services
 */
const about: Readonly<Record<string, ReadonlyArray<string>>> = {
  W1: [
    "sends an answer that does not fit back, with everything that is wrong",
    "answers an object that does not fit together with the calls next to it",
    "refuses a history that mixes results with text"
  ],
  W2: [
    "decodes a list of a class, and asks for it by a JSON Schema without dangling references",
    "decodes a union of classes, and asks for it by a JSON Schema without dangling references"
  ],
  W3: ["runs calls under any stop reason", "ends at a reply that says toolUse and calls nothing"],
  W4: ["says what is wrong when a union never fits"],
  W5: [
    "refuses arguments that do not fit, and says what is wrong",
    "gives results as the JSON of their schema",
    "gives the images of a result as images"
  ],
  W6: [
    "goes on from a history with calls that another source made",
    "refuses a history that mixes results with text",
    "shows the model the failure that a tool returns"
  ],
  W7: ["says when the last reply was cut"],
  W8: ["gives the text of all blocks"],
  W9: ["sends neither tools nor a choice for an empty toolkit", "offers the tools and asks for none of them"],
  W10: ["offers and runs one of two tools of one name", "leaves a tool of the user its name, whatever it is"],
  W12: ["asks for an answer without tools in the last turn, and then fails with the history"],
  W16: ["masks the defect of a tool, and goes on"],
  W18: [
    "fails after two repairs with every attempt",
    "counts repairs over the whole call, whatever happens in between"
  ],
  W19: ["runs nothing next to an object that fits"],
  W20: [
    "runs them at the same time when told so, and keeps the results in call order",
    "runs handlers with the services of their Layer"
  ]
}

/** What the naive design is good for: it fails for its weaknesses, not for being broken. */
const controls = [
  "runs the calls of a reply and asks again with their results",
  "goes on for as many turns as the model calls tools",
  "decodes a struct, and asks for it by a JSON Schema without dangling references",
  "decodes a number, and asks for it by a JSON Schema without dangling references"
]

const hold = (title: string, isLawful: boolean) =>
  Effect.gen(function*() {
    const scenario = scenarios.find((each) => each.title === title)!
    const outcome = yield* runNaive(scenario)
    if (isLawful) { for (const request of outcome.requests) assert.deepStrictEqual(breaches(request), []) }
    scenario.check(outcome)
  })

/** The weaknesses that show in what is sent; the others show in what comes of it. */
const unlawful = new Set(["W1", "W2", "W6", "W9", "W10"])

describe("the naive design", () => {
  it.effect.each(controls)("holds: %s", (title) => hold(title, true))

  // W1 shows in what it sends, but its error is good where the type has a name.
  it.effect("holds, but for W1: says what is wrong when a class never fits", () =>
    hold("says what is wrong when a class never fits", false))
})

describe("the naive design has the weaknesses", () => {
  for (const [weakness, titles] of Object.entries(about)) {
    for (const title of titles) {
      it.effect(`${weakness}: ${title}`, () =>
        Effect.gen(function*() {
          const fails = yield* Effect.exit(hold(title, unlawful.has(weakness)))
          assert.strictEqual(fails._tag, "Failure", "the naive design passes, so this scenario shows nothing")
        }))
    }
  }
})
