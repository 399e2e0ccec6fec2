// Started by pack.mjs: makes the call of a tool that the quickstart makes with the MCP Inspector, with the official
// client. A client whose model is a script must get its answer; a client without a model, named like the Inspector, must
// get the result that the README quotes.
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import assert from "node:assert/strict"

// Like editors, the transport passes few variables of its own environment on, and those of `env`.
const { call: { arguments: args, name, result: quoted }, server } = JSON.parse(process.argv[2])

const call = async (client) => {
  await client.connect(new StdioClientTransport({ ...server, stderr: "inherit" }))
  try {
    return await client.callTool({ name, arguments: args })
  } finally {
    await client.close()
  }
}

const answer = "an answer that only this script gives"
const capable = new Client({ name: "capable", version: "1.0.0" }, { capabilities: { sampling: {} } })
const asked = []
capable.setRequestHandler(CreateMessageRequestSchema, async ({ params }) => {
  asked.push(params)
  return { role: "assistant", model: "scripted", stopReason: "endTurn", content: { type: "text", text: answer } }
})
const result = await call(capable)
assert.equal(asked.length, 1, `${name} asked the client for a completion`)
assert.deepEqual(result, { content: [{ type: "text", text: answer }] })

const [, version] = /inspector-cli ([\d.]+)/.exec(JSON.stringify(quoted)) ?? []
assert.deepEqual(await call(new Client({ name: "inspector-cli", version })), quoted)
console.log(`${name} answered with the client's completion, and with an error for a client that cannot sample`)
