/**
 * Three servers, each a process of its own, behind a proxy that passes each request to the next server.
 */
import { Deferred, Effect, Exit, Schema, Scope, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as Process from "node:process"
import * as Proxy from "./proxy.ts"

export class NotStarted extends Schema.TaggedError<NotStarted>("many-servers/NotStarted")("NotStarted", {
  message: Schema.String
}) {}

/** A server process that listens on a port. */
interface Server {
  readonly pid: number
  readonly port: number
  readonly scope: Scope.Closeable
  readonly kill: Effect.Effect<void>
}

export interface Settings {
  readonly directory: string
  readonly keys: string
}

const args = ["--conditions", "@effect-sampling/source", new URL("server.ts", import.meta.url).pathname]

/** Starts a process and waits until it listens. The process ends with its scope, which ends with `parent`. */
const start = Effect.fnUntraced(function*({ directory, keys }: Settings, parent: Scope.Scope) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const scope = yield* Scope.fork(parent)
  return yield* Effect.gen(function*() {
    const handle = yield* spawner.spawn(ChildProcess.make(Process.execPath, args, {
      env: { SAMPLING_STATE_KEYS: keys, LEDGER: `${directory}/ledger`, NODE_COMPILE_CACHE: `${directory}/cache` },
      extendEnv: true,
      forceKillAfter: "5 seconds"
    }))
    const listening = yield* Deferred.make<number, NotStarted>()
    const output: Array<string> = []
    // Reads the output to its end: a full pipe would block the process.
    yield* handle.all.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => {
        output.push(line)
        const port = /^port (\d+)$/.exec(line)?.[1]
        return port === undefined ? Effect.void : Deferred.succeed(listening, Number(port))
      }),
      Effect.ignoreCause,
      Effect.andThen(
        Effect.suspend(() =>
          Deferred.fail(listening, new NotStarted({ message: `A server did not start:\n${output.join("\n")}` }))
        )
      ),
      Effect.forkScoped
    )
    const port = yield* Deferred.await(listening)
    const server: Server = {
      pid: handle.pid,
      port,
      scope,
      kill: Effect.orDie(handle.kill({ killSignal: "SIGKILL" }))
    }
    return server
  }).pipe(Scope.provide(scope))
})

export const make = Effect.fnUntraced(function*(settings: Settings) {
  const services = yield* Effect.context<ChildProcessSpawner.ChildProcessSpawner>()
  const scope = yield* Effect.scope
  const startAll = (keys: string) =>
    Effect.forEach([1, 2, 3], () => start({ ...settings, keys }, scope), { concurrency: "unbounded" })
  const servers = yield* startAll(settings.keys)
  const proxy = yield* Proxy.make(servers)

  return {
    url: proxy.url,
    pids: Effect.sync(() => servers.map(({ pid }) => pid)),
    /** Kills the server that would get the next request, and starts another server in its place. */
    killNext: Effect.gen(function*() {
      const index = proxy.next()
      const killed = servers[index]!
      yield* killed.kill
      yield* Scope.close(killed.scope, Exit.void)
      servers[index] = yield* start(settings, scope)
      return { killed: killed.pid, started: servers[index].pid }
    }).pipe(Effect.provide(services)),
    /** Replaces the servers one after the other: each new server takes over before the old one ends. */
    restart: Effect.fnUntraced(function*(keys: string) {
      for (const [index, server] of (yield* startAll(keys)).entries()) {
        const old = servers[index]!
        servers[index] = server
        yield* Scope.close(old.scope, Exit.void)
      }
    }, Effect.provide(services))
  }
})
