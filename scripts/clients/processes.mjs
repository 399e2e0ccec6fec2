// Programs that are driven: each in a group of processes of its own, with a home of its own and a time limit.
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Path from "node:path"

const groups = new Set()
const homes = new Set()

const killGroup = (pid) => {
  try {
    process.kill(-pid, "SIGKILL")
  } catch (error) {
    if (error.code !== "ESRCH") throw error
  }
}

process.once("exit", () => {
  for (const pid of groups) killGroup(pid)
  for (const home of homes) endAllAtHome(home)
})
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130))

/** Starts a program of Node in a group of its own. */
export const start = (args, options) => {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, ...options })
  groups.add(child.pid)
  child.once("close", () => groups.delete(child.pid))
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8")
  return child
}

/** Ends a program, and what is left of its group. */
export const end = async (child) => {
  const closed = child.exitCode === null && child.signalCode === null ? once(child, "close") : undefined
  killGroup(child.pid)
  await closed
}

/**
 * Ends the processes that have the folder as their home, such as a daemon that has left its group. Where the system has
 * no `/proc`, they have to end by themselves.
 */
export const endAllAtHome = (home) => {
  for (const file of Fs.globSync("/proc/[0-9]*/environ")) {
    const pid = Number(Path.basename(Path.dirname(file)))
    try {
      if (Fs.readFileSync(file, "utf8").split("\0").includes(`HOME=${home}`)) process.kill(pid, "SIGKILL")
    } catch (error) {
      // It has ended in the meantime, or it belongs to somebody else.
      if (!["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(error.code)) throw error
    }
  }
}

/** An empty home, and the environment of a program that lives in it: no keys, no telemetry, no updates. */
export const newHome = (home) => {
  Fs.rmSync(home, { recursive: true, force: true })
  Fs.mkdirSync(home, { recursive: true })
  homes.add(home)
  return {
    PATH: [Path.dirname(process.execPath), process.env.PATH].join(Path.delimiter),
    HOME: home,
    USERPROFILE: home,
    XDG_CONFIG_HOME: Path.join(home, "config"),
    XDG_CACHE_HOME: Path.join(home, "cache"),
    XDG_DATA_HOME: Path.join(home, "data"),
    XDG_STATE_HOME: Path.join(home, "state"),
    XDG_RUNTIME_DIR: home,
    TMPDIR: home,
    CI: "1",
    NO_COLOR: "1",
    DO_NOT_TRACK: "1",
    NO_UPDATE_NOTIFIER: "1",
    MASTRA_TELEMETRY_DISABLED: "1",
    MCP_INSPECTOR_SECRET_STORE: "file",
    MCP_USE_ANONYMIZED_TELEMETRY: "false",
    PI_OFFLINE: "1",
    PI_TELEMETRY: "0"
  }
}

/** Runs a program of Node to its end and gives its output. */
export const runToEnd = async (args, { timeout, ...options }) => {
  const child = start(args, options)
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => output += text)
  const timer = setTimeout(() => {
    output += `\nended after ${timeout / 1000} s`
    killGroup(child.pid)
  }, timeout)
  // Not `close`: what the program has left running may hold its output open.
  await once(child, "exit")
  clearTimeout(timer)
  await end(child)
  return output
}
