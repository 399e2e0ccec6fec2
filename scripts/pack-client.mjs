// Copied by pack.mjs into the project of a stranger: starts the server named on the command line, answers its sampling
// requests from a script, calls its first tool and checks that the answer of the model came through.
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import assert from "node:assert/strict"

const answer = "an answer that only this script gives"

/** A value that the schema accepts. */
const valueOf = (schema) => {
  if (schema.default !== undefined) return schema.default
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  const alternatives = schema.anyOf ?? schema.oneOf
  if (alternatives !== undefined) return valueOf(alternatives[0])
  switch (schema.type) {
    case "array":
      return Array.from({ length: schema.minItems ?? 0 }, () => valueOf(schema.items ?? {}))
    case "boolean":
      return true
    case "integer":
    case "number":
      return schema.minimum ?? 1
    case "object":
      return Object.fromEntries((schema.required ?? []).map((name) => [name, valueOf(schema.properties[name])]))
    default:
      return "A text of some length."
  }
}

const asked = []
const client = new Client({ name: "stranger", version: "1.0.0" }, { capabilities: { sampling: {} } })
client.setRequestHandler(CreateMessageRequestSchema, async ({ params }) => {
  asked.push(params)
  return { role: "assistant", model: "scripted", stopReason: "endTurn", content: { type: "text", text: answer } }
})
const transport = new StdioClientTransport({ command: process.execPath, args: [process.argv[2]], stderr: "inherit" })
await client.connect(transport)
try {
  const { tools } = await client.listTools()
  assert.ok(tools.length > 0, "the server lists a tool")
  const [tool] = tools
  const result = await client.callTool({ name: tool.name, arguments: valueOf(tool.inputSchema) })
  const shown = JSON.stringify(result)
  assert.ok(!result.isError, `${tool.name} failed: ${shown}`)
  assert.ok(asked.length > 0, `${tool.name} asked the client for a completion`)
  assert.ok(shown.includes(answer), `the result of ${tool.name} holds the completion: ${shown}`)
  console.log(`${client.getServerVersion().name} answered a call of ${tool.name} with the client's completion`)
} finally {
  await client.close()
}
