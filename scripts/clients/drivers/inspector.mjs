import { era, fromPrinted, isStdio, report, run, server } from "./plan.mjs"

const target = isStdio ? [server.command, ...server.args] : [server.url, "--transport", "http"]
const inspect = (...args) =>
  run("mcp-inspector", ["--cli", ...target, "--protocol-era", era, "--format", "json", "--quiet", "--method", ...args])

const { result } = JSON.parse(inspect("tools/list").stdout)
await report(
  result.tools.map(({ name }) => name),
  (call) =>
    fromPrinted(inspect("tools/call", "--tool-name", call.name, "--tool-args-json", JSON.stringify(call.arguments)))
)
