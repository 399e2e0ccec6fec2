import { assert, describe, it } from "vitest"
import { problemsOf, situations } from "../clients/expectations.mjs"
import { reasonOf } from "../clients/install.mjs"
import { clients } from "../clients/list.mjs"
import { clientsTable, merge, replaceBetween } from "../clients/table.mjs"
import { readWire } from "../clients/wire.mjs"

const client = {
  title: "A client",
  packages: { "a-client": "1.2.3" },
  offers: { legacy: ["sampling"], auto: ["sampling"] }
}

const run = (name, rest = {}) => ({
  client,
  name,
  situation: situations[name],
  era: "legacy",
  adapter: "mcp-sdk",
  transport: "stdio",
  wire: { revision: "2025-11-25", declares: [], asks: [], codes: [] },
  problems: [],
  ...rest
})

const cells = (table) => table.trim().split("\n").map((line) => line.slice(2, -2).split(" | "))

describe("the table of clients", () => {
  it("has a row for each revision that a client used, the oldest first", () => {
    const modern = { revision: "2026-07-28", declares: ["sampling"], asks: [], codes: [-32_021] }
    const overHttp = run("bare", { transport: "http" })
    const runs = [run("bare", { wire: modern }), run("bare"), overHttp, run("provider"), run("offering")]
    const [, , legacy, auto] = cells(clientsTable([{ client, runs }]))
    const first = "A client: `a-client` 1.2.3"
    assert.deepStrictEqual(legacy, [
      first,
      "2025-11-25",
      "nothing",
      "yes",
      "`isError`, with the sentence",
      "the provider answers",
      "its model answers",
      "not offered"
    ])
    assert.deepStrictEqual(auto.slice(0, 5), [
      first,
      "2026-07-28, over stdio only",
      "sampling",
      "yes",
      "error -32021, with the sentence"
    ])
  })

  it("says why a client could not be installed", () => {
    const [, , row] = cells(clientsTable([{ client, reason: "code E404", runs: [] }]))
    assert.strictEqual(row[1], "not installed: code E404")
    assert.lengthOf(row, 8)
  })

  it("says what failed, in one cell", () => {
    const runs = [run("bare", { problems: ["one | two\nthree"] })]
    assert.include(clientsTable([{ client, runs }]), "| **fails**: one \\| two three |")
  })

  it("names the runs of a verdict that others do not share", () => {
    const runs = [run("bare"), run("bare", { transport: "http" }), run("bare", { adapter: "mcp-effect" })]
    assert.strictEqual(
      merge(runs, ({ transport }) => transport === "http" ? "no" : "yes"),
      "yes (mcp-sdk over stdio, mcp-effect over stdio); no (mcp-sdk over http)"
    )
  })
})

describe("the markers of a page", () => {
  const page = "# Title\n\n<!-- clients -->\n\nold\n\n<!-- /clients -->\n\nend\n"

  it("enclose what is replaced", () => {
    const replaced = replaceBetween(page, "new\n")
    assert.strictEqual(replaced, page.replace("old", "new"))
    assert.strictEqual(replaceBetween(replaced, "new"), replaced)
  })

  it.each([
    ["missing", page.replace("<!-- clients -->", "")],
    ["twice", `${page}<!-- clients -->\n`],
    ["the wrong way round", "<!-- /clients -->\n<!-- clients -->\n"]
  ])("are refused when they are %s", (_, text) => {
    assert.throws(() => replaceBetween(text, "new"), /once each/)
  })
})

describe("the record of a connection", () => {
  it("says what the handshake agreed on", () => {
    const wire = readWire([
      { from: "client", message: { id: 0, method: "initialize", params: { capabilities: { sampling: {} } } } },
      { from: "server", message: { id: 0, result: { protocolVersion: "2025-06-18" } } },
      { from: "client", message: { id: 1, method: "tools/call", params: { name: "a" } } },
      { from: "server", message: { id: 0, method: "sampling/createMessage", params: {} } }
    ])
    assert.deepStrictEqual(wire, {
      revision: "2025-06-18",
      declares: ["sampling"],
      asks: ["sampling/createMessage"],
      codes: []
    })
  })

  it("believes the requests rather than a handshake that was only tried", () => {
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": { elicitation: {} }
    }
    const wire = readWire([
      { from: "client", message: { id: 0, method: "server/discover", params: { _meta } } },
      { from: "client", message: { id: 1, method: "tools/call", params: { _meta } } },
      { from: "server", message: { id: 1, result: { inputRequests: { a: { method: "elicitation/create" } } } } },
      { from: "server", message: { id: 2, error: { code: -32_021 } } }
    ])
    assert.deepStrictEqual(wire, {
      revision: "2026-07-28",
      declares: ["elicitation"],
      asks: ["elicitation/create"],
      codes: [-32_021]
    })
  })
})

describe("what is expected of a client", () => {
  const outcome = {
    tools: ["plan_dinner"],
    outcomes: [{ isError: false, text: "by the provider" }, { isError: false, text: "positive" }]
  }

  it("is met", () => {
    assert.deepStrictEqual(problemsOf(run("provider", { outcome })), [])
  })

  it.each([
    ["another text", { outcomes: [{ isError: false, text: "by nobody" }] }, {}, /summarise: expected .*by nobody/],
    ["an error", { outcomes: [{ isError: true, text: "by the provider" }] }, {}, /expected a result/],
    ["a call that was not made", { outcomes: [] }, {}, /summarise was not called/],
    ["another revision", {}, { revision: "2024-11-05" }, /expected 2025-11-25, got 2024-11-05/],
    ["an ask of a client that offers nothing", {}, { asks: ["sampling/createMessage"] }, /sent sampling/],
    ["a capability that it was not to declare", {}, { declares: ["sampling"] }, /declared sampling/]
  ])("is not met by %s", (_, changedOutcome, changedWire, problem) => {
    const { wire } = run("provider")
    const changed = { outcome: { ...outcome, ...changedOutcome }, wire: { ...wire, ...changedWire } }
    assert.match(problemsOf(run("provider", changed)).join("\n"), problem)
  })

  it("is not met by a client that ends without a word", () => {
    assert.match(problemsOf(run("bare", { output: "it fell over" })).join("\n"), /it fell over/)
  })
})

it("gives the reason of npm without addresses", () => {
  const output = "npm error code E404\nnpm error 404 Not Found - GET https://registry.example/a - Not found\nother"
  assert.strictEqual(reasonOf(output), "code E404 404 Not Found - GET the registry - Not found")
})

it("drives clients that have names of their own and exact versions", () => {
  assert.strictEqual(new Set(clients.map(({ name }) => name)).size, clients.length)
  for (const { eras, offers, packages } of clients) {
    assert.sameMembers(Object.keys(offers), eras)
    for (const version of Object.values(packages)) assert.match(version, /^\d+\.\d+\.\d+$/)
  }
})
