import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { setTimeout } from "node:timers/promises"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { fencesOf } from "../fences.mjs"

const root = Path.resolve(import.meta.dirname, "../..")
const page = Fs.readFileSync(Path.join(root, "docs/deployment.md"), "utf8")
const files = fencesOf(page).filter(({ title }) => title !== undefined)
const lines = fencesOf(page).filter(({ language }) => language === "sh").flatMap(({ text }) => text.trim().split("\n"))
let directory

beforeAll(() => {
  directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "deployment-"))
  Fs.symlinkSync(Path.join(root, "node_modules"), Path.join(directory, "node_modules"))
  Fs.writeFileSync(Path.join(directory, "package.json"), "{ \"type\": \"module\" }")
})
afterAll(() => Fs.rmSync(directory, { recursive: true, force: true }))

const freePort = async () => {
  const server = Net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address()
  server.close()
  await once(server, "close")
  return port
}

/** Asks until the port is open: not every recipe says so. */
const listens = async (port, child) => {
  if (child.exitCode !== null) throw new Error("the server has ended")
  const socket = Net.connect(port, "127.0.0.1")
  const isOpen = await once(socket, "connect").then(() => true, () => false)
  socket.destroy()
  if (isOpen) return
  await setTimeout(50)
  return listens(port, child)
}

/** Starts a recipe as the page says, on a port of its own. */
const withServer = async (command, env, use) => {
  const port = await freePort()
  const here = Path.join(directory, String(port))
  Fs.mkdirSync(here)
  for (const { text, title } of files) {
    Fs.writeFileSync(Path.join(here, title), text.replaceAll(/\b3000\b/g, String(port)))
  }
  const [program, ...args] = command.map((word) => word === "3000" ? String(port) : word)
  const child = spawn(program, args, {
    cwd: here,
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output += text)
  try {
    await listens(port, child)
    await use(port)
  } catch (error) {
    throw new Error(`${error.message}\n${output}`, { cause: error })
  } finally {
    const ended = child.exitCode === null ? once(child, "exit") : undefined
    child.kill()
    await ended
  }
}

const newClient = (era, capabilities) =>
  new Client({ name: "official", version: "1.0.0" }, {
    capabilities,
    ...(era === "2026-07-28" && { versionNegotiation: { mode: { pin: era } } })
  })

const call = async (client, port) => {
  await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`)))
  try {
    const { content } = await client.callTool({ name: "summarise", arguments: { text: "a long text" } })
    return content[0].text
  } catch (error) {
    return error.message
  } finally {
    await client.close()
  }
}

const sampled = async (port, era) => {
  const client = newClient(era, { sampling: {} })
  client.setRequestHandler("sampling/createMessage", () => ({
    role: "assistant",
    model: "scripted",
    content: { type: "text", text: "a summary" }
  }))
  assert.strictEqual(await call(client, port), "a summary", era)
}

/** A client that samples gets its own answer, and one that does not an error that says why. */
const answers = (...eras) => (port) =>
  Promise.all(eras.map(async (era) => {
    await sampled(port, era)
    assert.match(await call(newClient(era, {}), port), /did not declare the capability "sampling"/, era)
  }))

const status = (port, headers) =>
  fetch(`http://127.0.0.1:${port}/mcp`, { method: "POST", body: "{}", headers }).then((response) => response.status)

const source = ["--conditions", "@effect-sampling/source"]
const [old, modern] = ["2025-11-25", "2026-07-28"]

/** The command of the page, with the condition under which packages that are not built are found. */
const commandOf = (runtime) => {
  const [program, ...args] = lines.find((line) => line.startsWith(`${runtime} `)).split(" ")
  return runtime === "deno" ? [program, args[0], ...source, ...args.slice(1)] : [program, ...source, ...args]
}

describe("docs/deployment.md", { timeout: 60_000 }, () => {
  it("the server for a container answers under its names only, and needs keys", async () => {
    const dockerfile = files.find(({ title }) => title === "Dockerfile").text
    const [program, file] = JSON.parse(/^CMD (.+)$/m.exec(dockerfile)[1])
    const command = [program, ...source, file]
    const keys = `2026-11:${Buffer.alloc(32, 7).toString("base64")}`
    const env = { ALLOWED_HOSTS: "127.0.0.1,mcp.example.com", SAMPLING_STATE_KEYS: keys }
    await withServer(command, env, async (port) => {
      await answers(old, modern)(port)
      // fetch sets Host itself.
      const socket = Net.connect(port, "127.0.0.1")
      socket.end("GET /mcp HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
      const [head] = await once(socket.setEncoding("utf8"), "data")
      assert.match(head, /^HTTP\/1\.1 403 /)
    })
    const failed = await withServer(command, { SAMPLING_STATE_KEYS: "" }, () => {}).catch((error) => error.message)
    assert.match(failed, /SAMPLING_STATE_KEYS/)
  })

  it("the Dockerfile runs as another user than root, with what the page installs", () => {
    const dockerfile = files.find(({ title }) => title === "Dockerfile").text
    assert.match(dockerfile, /^USER node$/m)
    for (const [, image] of dockerfile.matchAll(/^FROM (\S+)/gm)) assert.strictEqual(image, "node:24-slim")
    const install = lines.find((line) => line.startsWith("npm install"))
    const { text } = files.find(({ title }) => title === "server.ts")
    for (const [, name] of text.matchAll(/from "((?:@[^/"]+\/)?[^/"]+)/g)) assert.include(install, ` ${name}`)
  })

  it("Hono serves the fetch handler, and refuses foreign origins", () =>
    withServer([process.execPath, ...source, "hono.ts"], {}, async (port) => {
      await answers(modern)(port)
      assert.strictEqual(await status(port, { origin: "https://evil.example" }), 403)
      const older = await call(newClient(old, { sampling: {} }), port)
      assert.match(older, /this server runs stateless HTTP, without sessions/)
    }))

  it("Bun serves the fetch handler", () => withServer(commandOf("bun"), {}, answers(modern)))

  it("Deno serves the fetch handler", () => withServer(commandOf("deno"), {}, answers(modern)))

  it("Express serves sessions, and no others than its own", () =>
    withServer([process.execPath, ...source, "express.ts"], {}, async (port) => {
      await answers(old)(port)
      assert.strictEqual(await status(port, { "mcp-session-id": "unknown" }), 404)
    }))

  it("Effect's own server serves both eras", () =>
    withServer([process.execPath, ...source, "effect.ts"], {}, answers(old, modern)))
})
