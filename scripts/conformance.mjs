// Runs the official conformance suite of MCP against the server and the client of fixtures/conformance. A scenario passes
// when all of its checks do: a warning, a check or scenario that is skipped, and a scenario without checks are failures.
//
// `npm run conformance -- tools_call` runs only the scenarios whose names contain one of the words.
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { createInterface } from "node:readline"
import { readResult } from "./conformance-result.mjs"

const push = "2025-11-25"
const rounds = "2026-07-28"

const scenarios = {
  server: {
    "server-initialize": [push],
    "tools-list": [push, rounds],
    "tools-call-sampling": [push],
    "tools-call-elicitation": [push],
    "server-stateless": [rounds],
    "input-required-result-basic-elicitation": [rounds],
    "input-required-result-basic-sampling": [rounds],
    "input-required-result-basic-list-roots": [rounds],
    "input-required-result-request-state": [rounds],
    "input-required-result-multiple-input-requests": [rounds],
    "input-required-result-multi-round": [rounds],
    "input-required-result-missing-input-response": [rounds],
    "input-required-result-non-tool-request": [rounds],
    "input-required-result-result-type": [rounds],
    "input-required-result-unsupported-methods": [rounds],
    "input-required-result-tampered-state": [rounds],
    "input-required-result-capability-check": [rounds],
    "input-required-result-ignore-extra-params": [rounds],
    "input-required-result-validate-input": [rounds]
  },
  client: {
    "initialize": [push],
    "tools_call": [push, rounds],
    "elicitation-sep1034-client-defaults": [push],
    "request-metadata": [rounds],
    "sep-2322-client-request-state": [rounds]
  }
}

const words = process.argv.slice(2)
const runs = Object.entries(scenarios).flatMap(([side, names]) =>
  Object.entries(names).flatMap(([name, revisions]) => revisions.map((revision) => ({ side, name, revision })))
).filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))

const fixture = (name) => ["--conditions=@effect-sampling/source", `fixtures/conformance/src/${name}.ts`]
const results = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-sampling-conformance-"))
const children = new Set()

const start = (command, args, options) => {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: 60_000, ...options })
  children.add(child)
  child.once("close", () => children.delete(child))
  return child
}

/** What the server wrote to stderr. */
let log = ""

/** Starts the server on a free port, and gives its address. */
const startServer = async () => {
  const server = start(process.execPath, fixture("server"), {
    env: { ...process.env, PORT: "0" },
    timeout: undefined
  })
  server.stderr.setEncoding("utf8").on("data", (text) => log += text)
  for await (const line of createInterface({ input: server.stdout })) {
    const url = /^listening on (\S+)$/.exec(line)?.[1]
    if (url !== undefined) return { server, url }
  }
  throw new Error(`the server of fixtures/conformance did not start:\n${log}`)
}

const endServer = async (server) => {
  const exited = server.exitCode === null && server.signalCode === null ? once(server, "exit") : undefined
  server.kill("SIGTERM")
  const kill = setTimeout(() => server.kill("SIGKILL"), 5000)
  await exited
  clearTimeout(kill)
}

const run = async ({ name, revision, side }, url) => {
  const directory = Path.join(results, `${side}-${name}-${revision}`)
  const target = side === "server" ? ["--url", url] : ["--command", ["node", ...fixture("client")].join(" ")]
  const child = start("conformance", [
    side,
    ...target,
    "--scenario",
    name,
    "--spec-version",
    revision,
    "--output-dir",
    directory
  ])
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output += text)
  const [code, signal] = await once(child, "close")
  // One directory, whose name has the time in it.
  const [file] = Fs.globSync(Path.join(directory, "*/checks.json"))
  const checks = file === undefined ? undefined : JSON.parse(Fs.readFileSync(file, "utf8"))
  return { output, ...readResult({ checks, exitCode: code ?? signal, output }) }
}

/** Several at a time, as most of what they take is the start of processes. */
const runAll = async (url) => {
  const outcomes = new Map()
  const work = async (queue) => {
    const { done, value } = queue.next()
    if (done) return
    outcomes.set(value, await run(value, url))
    await work(queue)
  }
  // It gives the server half a second to answer.
  const isHasty = ({ name }) => name === "server-stateless"
  await work(runs.filter(isHasty).values())
  const queue = runs.filter((each) => !isHasty(each)).values()
  await Promise.all([work(queue), work(queue), work(queue), work(queue)])
  return outcomes
}

process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL")
  Fs.rmSync(results, { recursive: true, force: true })
})
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1))

const { server, url } = await startServer()
const outcomes = await runAll(url)
await endServer(server)

const width = Math.max(...runs.map(({ name }) => name.length))
let failures = runs.length === 0 ? 1 : 0
for (const each of runs) {
  const { name, revision, side } = each
  const { output, passed, problems, total } = outcomes.get(each)
  const verdict = problems.length === 0 ? "ok  " : "FAIL"
  console.log(`${verdict} ${side}  ${revision}  ${name.padEnd(width)}  ${passed}/${total}`)
  if (problems.length === 0) continue
  failures++
  for (const problem of problems) console.log(`       ${problem}`)
  if (passed === 0) console.log(output.trim().replaceAll(/^/gm, "       | "))
}
if (failures > 0) console.log(log.trim().replaceAll(/^/gm, "server | "))
console.log(`${runs.length} scenarios, ${runs.length - Math.min(failures, runs.length)} passed, ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1
