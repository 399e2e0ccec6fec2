import { isStdio, report, run, server } from "./plan.mjs"

const target = isStdio
  ? ["--stdio", server.command, ...server.args.flatMap((arg) => ["--stdio-arg", arg])]
  : ["--http-url", server.url, "--allow-http"]
const mcporter = (command, ...args) => run("mcporter", [command, ...target, "--name", "it", "--no-oauth", ...args])

const { tools } = JSON.parse(mcporter("list", "--json").stdout)
await report(
  tools.map(({ name }) => name),
  (call) => {
    const { status, stderr, stdout } = mcporter("call", "--tool", call.name, "--args", JSON.stringify(call.arguments))
    return { isError: status !== 0, text: `${stdout}\n${stderr}`.trim() }
  }
)
