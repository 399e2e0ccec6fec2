import * as Fs from "node:fs"
import * as Path from "node:path"
import { elicits, era, form, fromPrinted, isStdio, report, run, server } from "./plan.mjs"

const home = process.env.HOME
// A daemon of its own, which nothing else finds.
process.env.MCP_INSPECTOR_DAEMON_DIR = Path.join(home, "daemon")
process.env.MCP_INSPECTOR_DAEMON_TOKEN = "only-for-this-run"
const config = Path.join(home, "servers.json")
const entry = isStdio ? { type: "stdio", ...server } : { type: "streamable-http", url: server.url }
Fs.writeFileSync(config, JSON.stringify({ mcpServers: { it: entry } }))

const mcpdo = (...args) => run("mcpdo", ["--format", "json", ...args])
const onIt = (...args) => mcpdo("--connection", "it", ...args)

const call = ({ arguments: args, name }) => {
  const printed = onIt("tools/call", name, JSON.stringify(args))
  const pending = /"elicitationId": "([^"]+)"/.exec(printed.stdout)?.[1]
  return pending === undefined
    ? fromPrinted(printed)
    : fromPrinted(onIt("elicitation/respond", pending, JSON.stringify(form.content)))
}

try {
  const connected = mcpdo("--config", config, "connect", "it", "--era", era, "--elicit", elicits ? "form" : "off")
  if (connected.status !== 0) throw new Error(`connect: ${connected.stdout}${connected.stderr}`)
  const { tools } = JSON.parse(onIt("tools/list").stdout)
  await report(tools.map(({ name }) => name), call)
} finally {
  mcpdo("daemon", "stop")
}
