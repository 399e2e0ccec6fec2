// Pi is an agent: a scripted model on loopback makes it list and call the tools, and answers what they sample.
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import { createServer } from "node:http"
import * as Path from "node:path"
import { calls, completion, era, isStdio, report, samples, server } from "./plan.mjs"

const agent = Path.join(process.env.HOME, "agent")
const project = Path.join(process.env.HOME, "project")

/** What the model does, one thing a turn, through the one tool of the adapter. */
const turns = [
  { connect: "it" },
  { server: "it" },
  ...calls.map((call) => ({ tool: `it_${call.name}`, args: call.arguments }))
]

/** What the model has read of each of its turns. */
let read = []

const textOf = (content) => typeof content === "string" ? content : content.map(({ text }) => text ?? "").join("")

/** The next message of the model. A request without tools is one that an MCP server made. */
const reply = ({ messages, tools = [] }) => {
  if (tools.length === 0) return { content: completion.content.text }
  read = messages.filter(({ role }) => role === "tool").map(({ content }) => textOf(content))
  const turn = turns[read.length]
  if (turn === undefined) return { content: "Done." }
  const call = { name: "mcp", arguments: JSON.stringify(turn) }
  return { tool_calls: [{ index: 0, id: `call-${read.length}`, type: "function", function: call }] }
}

const model = createServer(async (request, response) => {
  const chunks = await Array.fromAsync(request)
  const delta = { role: "assistant", ...reply(JSON.parse(Buffer.concat(chunks).toString())) }
  const finish = delta.tool_calls === undefined ? "stop" : "tool_calls"
  const send = (choice) =>
    response.write(
      `data: ${
        JSON.stringify({ id: "1", object: "chat.completion.chunk", created: 0, model: "scripted", choices: [choice] })
      }\n\n`
    )
  response.writeHead(200, { "content-type": "text/event-stream" })
  send({ index: 0, delta, finish_reason: null })
  send({ index: 0, delta: {}, finish_reason: finish })
  response.end("data: [DONE]\n\n")
}).listen(0, "127.0.0.1")
await once(model, "listening")

const write = (folder, name, value) => {
  Fs.mkdirSync(folder, { recursive: true })
  Fs.writeFileSync(Path.join(folder, name), JSON.stringify(value))
}
write(agent, "models.json", {
  providers: {
    scripted: {
      baseUrl: `http://127.0.0.1:${model.address().port}/v1`,
      api: "openai-completions",
      apiKey: "made-up",
      models: [{ id: "scripted" }]
    }
  }
})
write(agent, "mcp.json", {
  settings: { sampling: samples, samplingAutoApprove: samples },
  mcpServers: {
    it: { ...(isStdio ? server : { url: server.url }), lifecycle: "lazy", protocolVersion: era }
  }
})
Fs.mkdirSync(project, { recursive: true })

const args = ["-p", "--no-session", "--offline", "--no-builtin-tools", "--model", "scripted/scripted"]
const pi = spawn(
  Path.resolve("node_modules/.bin/pi"),
  [...args, "-e", Path.resolve("node_modules/pi-mcp-adapter"), "Call the tools."],
  { cwd: project, env: { ...process.env, PI_CODING_AGENT_DIR: agent }, stdio: ["ignore", "inherit", "inherit"] }
)
await once(pi, "exit")
model.close()

const [, listed = "", ...results] = read
const tools = Array.from(listed.matchAll(/\bit_(\w+)/g), ([, name]) => name)
let next = 0
await report(tools, () => {
  const text = results[next++] ?? "Pi has not called the tool"
  return { isError: /^(Error|Failed|Pi has not)/.test(text), text }
})
