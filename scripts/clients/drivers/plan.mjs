// What all drivers share. A driver is started in the folder where its client is installed, with a plan as JSON:
//
// - `server`: `{ command, args }` or `{ url }`
// - `era`: `legacy`, or `auto` for the newest revision that both sides know
// - `offers`: which of `sampling` and `elicitation` the client has to offer
// - `calls`: the tools to call, with their arguments
//
// It prints one line: the names of the listed tools, and of each call what the client's user gets.
import { spawnSync } from "node:child_process"
import * as Path from "node:path"

export const plan = JSON.parse(process.argv[2])
export const { calls, era, offers, server } = plan
export const isStdio = server.command !== undefined
export const samples = offers.includes("sampling")
export const elicits = offers.includes("elicitation")

/** The scripted model of the client. */
export const completion = {
  role: "assistant",
  model: "scripted",
  stopReason: "endTurn",
  content: { type: "text", text: "positive: by the client" }
}

/** The scripted user of the client. */
export const form = { action: "accept", content: { guests: 6 } }

const textOf = (content) => content.map((block) => block.text ?? `[${block.type}]`).join("\n")

/** The outcome of a call from the result of MCP that the client hands over. */
export const fromResult = ({ content = [], isError = false }) => ({ isError, text: textOf(content) })

/** The outcome of a call that threw. */
export const fromError = (error) => ({
  isError: true,
  thrown: true,
  code: error.code,
  text: String(error.message ?? error)
})

/** The outcome of a call from what a command of the inspector printed as JSON. */
export const fromPrinted = ({ stderr, stdout }) => {
  if (stdout !== "") {
    const printed = JSON.parse(stdout)
    return fromResult(printed.result ?? printed)
  }
  const line = stderr.split("\n").findLast((line) => line.startsWith("{"))
  return { isError: true, text: line === undefined ? stderr : JSON.parse(line).error.message }
}

/** Calls each tool of the plan with the function, and prints what came of it. */
export const report = async (tools, call) => {
  // One after the other, as users do.
  const outcomes = await calls.reduce(
    async (before, each) => [...await before, await Promise.resolve(each).then(call).catch(fromError)],
    []
  )
  process.stdout.write(`\noutcome: ${JSON.stringify({ tools, outcomes })}\n`)
}

/** Runs a program of the client to its end. */
export const run = (name, args) => {
  const { error, signal, status, stderr, stdout } = spawnSync(Path.resolve("node_modules/.bin", name), args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 30_000
  })
  if (error !== undefined || signal !== null) throw error ?? new Error(`${name} was ended by ${signal}: ${stderr}`)
  return { status, stdout: stdout.trim(), stderr: stderr.trim() }
}
