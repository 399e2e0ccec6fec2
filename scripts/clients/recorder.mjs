// Stands between a client and a stdio server, and writes every message that passes to a file: the name of the file, then
// the arguments of Node that start the server.
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import { createInterface } from "node:readline"

const [file, ...args] = process.argv.slice(2)
const server = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "ignore"] })

const record = (from, stream) =>
  createInterface({ input: stream }).on("line", (line) => {
    // A line that is not JSON is a fault that the client will report.
    if (line.startsWith("{")) Fs.appendFileSync(file, `{"from":"${from}","message":${line}}\n`)
  })

record("client", process.stdin)
record("server", server.stdout)
process.stdin.pipe(server.stdin)
server.stdout.pipe(process.stdout)
// Each side may leave first.
for (const stream of [server.stdin, process.stdout]) stream.on("error", () => {})
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => server.kill(signal))
server.on("exit", (code) => process.exit(code ?? 1))
