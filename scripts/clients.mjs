// `npm run clients`: installs real MCP clients from npm outside of the repository, drives each of them against servers
// built from the workspace, checks what they do, and writes the result to docs/clients.md. It is no part of `npm test`,
// because it downloads the clients.
//
// `npm run clients -- mcporter pi` drives only the clients named, prints their table and leaves the page as it is.
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { problemsOf, situations } from "./clients/expectations.mjs"
import { install } from "./clients/install.mjs"
import { clients } from "./clients/list.mjs"
import { endAllAtHome, newHome, runToEnd } from "./clients/processes.mjs"
import { connectable, endServers } from "./clients/servers.mjs"
import { clientsTable, replaceBetween } from "./clients/table.mjs"
import { readWire } from "./clients/wire.mjs"

const page = "docs/clients.md"
const timeout = 120_000

const named = process.argv.slice(2)
const unknown = named.filter((name) => !clients.some((client) => client.name === name))
if (unknown.length > 0) {
  console.error(`unknown client ${unknown.join(", ")}: choose from ${clients.map(({ name }) => name).join(", ")}`)
  process.exit(2)
}

/** One after the other. */
const inTurn = (values, use) => values.reduce(async (before, value) => [...await before, await use(value)], [])

/** Two at a time, as a run is often idle. The results are in the order of the values. */
const inPairs = async (values, use) => {
  const queue = values.entries()
  const results = []
  const work = async () => {
    const { done, value } = queue.next()
    if (done) return
    const [index, each] = value
    results[index] = await use(each)
    await work()
  }
  await Promise.all([work(), work()])
  return results
}

/** What a client is driven through. */
const runsOf = (client) =>
  client.eras.flatMap((era) =>
    ["mcp-sdk", "mcp-sdk-v2", "mcp-effect"].flatMap((adapter) =>
      ["stdio", "http"].flatMap((transport) =>
        Object.entries(situations).flatMap(([name, situation]) => {
          const offers = situation.offers(client.offers[era])
          const calls = situation.calls(offers).map(({ call }) => call)
          return calls.length === 0 ? [] : [{ client, era, adapter, transport, name, situation, offers, calls }]
        })
      )
    )
  )

const drive = async (run, folder) => {
  const { adapter, calls, client, era, offers, situation, transport } = run
  const home = Path.join(folder, `home-${client.name}`)
  const env = newHome(home)
  const { close, messages, server } = await connectable({ adapter, transport, behaviour: situation.behaviour, home })
  const plan = JSON.stringify({ server, era, offers, calls })
  const output = await runToEnd([`${client.driver}.mjs`, plan], { cwd: folder, env, timeout })
  endAllAtHome(home)
  close()
  const line = /^outcome: (.*)$/m.exec(output)?.[1]
  const driven = { ...run, output, outcome: line && JSON.parse(line), wire: readWire(messages()) }
  return { ...driven, problems: problemsOf(driven) }
}

const driveAll = async (client) => {
  const { folder, reason } = install(client)
  if (reason !== undefined) {
    console.log(`${client.name}: not installed: ${reason}`)
    return { client, reason, runs: [] }
  }
  const runs = await inTurn(runsOf(client), async (run) => {
    const driven = await drive(run, folder)
    const { adapter, era, name, problems, transport, wire } = driven
    const verdict = problems.length === 0 ? "ok  " : "FAIL"
    console.log(`${verdict} ${client.name} ${era} ${adapter} ${transport} ${name}: ${wire.revision}`)
    for (const problem of problems) console.log(`       ${problem}`)
    return driven
  })
  return { client, runs }
}

const chosen = clients.filter(({ name }) => named.length === 0 || named.includes(name))
const results = await inPairs(chosen, driveAll).finally(endServers)

const table = clientsTable(results)
console.log(`\n${table}`)
if (named.length === 0) {
  const date = new Date().toISOString().slice(0, 10)
  const text = `The run of ${date}, on Node ${process.versions.node}:\n\n${table}`
  Fs.writeFileSync(page, replaceBetween(Fs.readFileSync(page, "utf8"), text))
  spawnSync("dprint", ["fmt", page], { stdio: "inherit" })
}

const failed = results.flatMap(({ runs }) => runs).filter(({ problems }) => problems.length > 0)
for (const { adapter, client, era, name, problems, transport } of failed) {
  console.log(`${client.name} (${era}) against ${adapter} over ${transport}, ${name}: ${problems.join("; ")}`)
}
const total = results.reduce((sum, { runs }) => sum + runs.length, 0)
console.log(`runs: ${total - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length === 0 ? 0 : 1
