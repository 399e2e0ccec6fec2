// The servers that the clients connect to, with a record of all messages.
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Http from "node:http"
import * as Path from "node:path"
import { createInterface } from "node:readline"
import { end, start } from "./processes.mjs"

const file = (name) => Path.join(import.meta.dirname, name)
const serverArgs = (...args) => ["--conditions=@effect-sampling/source", file("server.mjs"), ...args]

/** A server over stdio that the client starts itself. */
const overStdio = ({ adapter, behaviour, home }) => {
  const record = Path.join(home, "messages.jsonl")
  Fs.writeFileSync(record, "")
  return {
    server: {
      command: process.execPath,
      args: [file("recorder.mjs"), record, ...serverArgs(adapter, "stdio", behaviour)]
    },
    messages: () =>
      Fs.readFileSync(record, "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line)),
    close: () => {}
  }
}

const running = new Map()

const startHttp = async (adapter, behaviour) => {
  const child = start(serverArgs(adapter, "http", behaviour))
  let log = ""
  child.stderr.on("data", (text) => log += text)
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^listening on (\S+)$/.exec(line)?.[1]
    if (url !== undefined) return { child, url }
  }
  throw new Error(`the server on ${adapter} did not start:\n${log}`)
}

/** The messages in a body of JSON or of server-sent events. */
const messagesIn = (body) => {
  const texts = body.startsWith("{") ? [body] : Array.from(body.matchAll(/^data: ?(\{.*)$/gm), ([, data]) => data)
  return texts.flatMap((text) => JSON.parse(text))
}

const collect = (stream, use) => {
  const chunks = []
  stream.on("data", (chunk) => chunks.push(chunk)).once("end", () => use(Buffer.concat(chunks).toString()))
}

/** A server over HTTP, which all runs share, behind a proxy that records the messages of this run. */
const overHttp = async ({ adapter, behaviour }) => {
  const key = `${adapter} ${behaviour}`
  if (!running.has(key)) running.set(key, startHttp(adapter, behaviour))
  const target = new URL((await running.get(key)).url)
  const messages = []
  const record = (from) => (body) => {
    for (const message of messagesIn(body)) messages.push({ from, message })
  }
  const proxy = Http.createServer((request, response) => {
    const { headers, method, url } = request
    const forward = Http.request(
      new URL(url, target),
      { method, headers: { ...headers, host: target.host } },
      (answer) => {
        response.writeHead(answer.statusCode, answer.headers)
        response.flushHeaders()
        answer.pipe(response)
        collect(answer, record("server"))
      }
    )
    forward.on("error", () => response.destroy())
    response.on("close", () => forward.destroy())
    request.pipe(forward)
    collect(request, record("client"))
  }).listen(0, "127.0.0.1")
  await once(proxy, "listening")
  return {
    server: { url: `http://127.0.0.1:${proxy.address().port}${target.pathname}` },
    messages: () => messages,
    close: () => {
      proxy.close()
      proxy.closeAllConnections()
    }
  }
}

/** Makes a server ready for one run. */
export const connectable = (options) => options.transport === "stdio" ? overStdio(options) : overHttp(options)

/** Ends the servers over HTTP. */
export const endServers = async () => {
  const servers = await Promise.all(running.values())
  await Promise.all(servers.map(({ child }) => end(child)))
}
