import { Content, SamplingMessage } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { findPairingProblem } from "../../src/internal/loop/toolPairing.ts"
import { oneOf, text, toolResult, toolUse } from "../fixtures/domain.ts"

const { assistant, user } = SamplingMessage

/**
 * The rules of MCP 2025-11-25 as the specification states them, one by one and without state between them. The tests
 * compare the implementation with these.
 */
const isValid = (messages: ReadonlyArray<SamplingMessage.SamplingMessage>): boolean => {
  const uses = (index: number) => idsOf(messages[index], "tool_use")
  const results = (index: number) => idsOf(messages[index], "tool_result")
  return messages.every((message, index) => {
    const all = Content.blocks(message.content)
    return (uses(index).length === 0 || message.role === "assistant") &&
      (results(index).length === 0 || message.role === "user") &&
      (results(index).length === 0 || results(index).length === all.length) &&
      isSet(uses(index)) &&
      isSet(results(index)) &&
      results(index).every((id) => uses(index - 1).includes(id)) &&
      uses(index).every((id) => results(index + 1).includes(id))
  })
}

const idsOf = (
  message: SamplingMessage.SamplingMessage | undefined,
  type: "tool_use" | "tool_result"
): ReadonlyArray<string> =>
  message === undefined
    ? []
    : Content.blocks(message.content).flatMap((block) =>
      block.type !== type ? [] : [block.type === "tool_use" ? block.id : block.toolUseId]
    )

const isSet = (ids: ReadonlyArray<string>): boolean => new Set(ids).size === ids.length

const anyBlock = oneOf<Content.Content>([text("hi"), toolUse("a"), toolUse("b"), toolResult("a"), toolResult("b")])

const anyHistory: Arbitrary.Arbitrary<ReadonlyArray<SamplingMessage.SamplingMessage>> = Arbitrary.array(
  Arbitrary.map(
    Arbitrary.all({
      role: oneOf(["user", "assistant"] as const),
      content: Arbitrary.array(anyBlock, { maxLength: 3 })
    }),
    ({ content, role }) => ({ role, content: content.length === 1 ? content[0]! : content })
  ),
  { maxLength: 4 }
)

/** Histories that are valid by construction: nearly all random histories break a rule. */
const validHistory = Arbitrary.map(
  Arbitrary.array(
    oneOf<ReadonlyArray<SamplingMessage.SamplingMessage>>([
      [user("hi")],
      [assistant("hello")],
      [assistant([text("let me see"), toolUse("a")]), user(toolResult("a"))],
      [assistant([toolUse("a"), toolUse("b")]), user([toolResult("b"), toolResult("a")])]
    ]),
    { maxLength: 4 }
  ),
  (turns) => turns.flat()
)

// requirement: sampling/tool-results-only
// requirement: sampling/tool-use-answered
describe("findPairingProblem", () => {
  it.prop("findPairingProblem agrees with the rules of MCP on arbitrary histories", [anyHistory], ([history]) => {
    assert.strictEqual(findPairingProblem(history) === undefined, isValid(history))
  }, { arbitrary: { runs: 1000 } })

  it.prop("findPairingProblem accepts histories that are valid by construction", [validHistory], ([history]) => {
    assert.isTrue(isValid(history))
    assert.strictEqual(findPairingProblem(history), undefined)
  })

  it.prop(
    "findPairingProblem agrees with the rules of MCP on valid histories without one message",
    [validHistory, oneOf([0, 1, 2, 3, 4, 5, 6, 7])],
    ([history, dropped]) => {
      const rest = history.filter((_, index) => index !== dropped)
      assert.strictEqual(findPairingProblem(rest) === undefined, isValid(rest))
    }
  )

  it.each<[string, ReadonlyArray<SamplingMessage.SamplingMessage>, string]>([
    ["a user calls a tool", [user(toolUse("a"))], "messages[0]: only an assistant message may hold tool_use"],
    [
      "an assistant answers a tool",
      [assistant(toolUse("a")), assistant(toolResult("a"))],
      "messages[1]: only a user message may hold tool_result"
    ],
    [
      "a result has no call",
      [user("hi"), user(toolResult("a"))],
      `messages[1]: the result for "a" has no matching tool_use in the message before it`
    ],
    [
      "a result comes a message late",
      [assistant(toolUse("a")), user("wait"), user(toolResult("a"))],
      `messages[1]: the tool_use "a" of the message before it is not answered`
    ],
    [
      "one of two calls is not answered",
      [assistant([toolUse("a"), toolUse("b")]), user(toolResult("a"))],
      `messages[1]: the tool_use "b" of the message before it is not answered`
    ],
    [
      "the last call is not answered",
      [user("hi"), assistant([text("ok"), toolUse("a")])],
      `messages[1]: the tool_use "a" is not answered`
    ],
    [
      "results and text are mixed",
      [assistant(toolUse("a")), user([toolResult("a"), text("here")])],
      "messages[1]: a message with tool results must hold nothing else"
    ],
    [
      "two calls share an id",
      [assistant([toolUse("a"), toolUse("a")]), user(toolResult("a"))],
      `messages[0]: two tool_use blocks share the id "a"`
    ],
    [
      "two results share an id",
      [assistant(toolUse("a")), user([toolResult("a"), toolResult("a")])],
      `messages[1]: two results for the tool_use "a"`
    ]
  ])("findPairingProblem names the place when %s", (_, history, problem) => {
    assert.strictEqual(findPairingProblem(history), problem)
  })

  it("findPairingProblem quotes and truncates ids, which the model or the client chose", () => {
    const problem = findPairingProblem([user(toolResult("\n".repeat(1_000_000)))])
    assert.isDefined(problem)
    assert.isBelow(problem.length, 300)
    assert.notInclude(problem, "\n")
  })
})
