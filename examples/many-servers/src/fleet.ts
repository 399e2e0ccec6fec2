/**
 * Three servers, each a process of its own, behind a proxy that gives every request to the next one.
 */
import { Deferred, Effect, Exit, Schema, Scope, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as Process from "node:process"
import * as Proxy from "./proxy.ts"

export class NotStarted extends Schema.TaggedError<NotStarted>("many-servers/NotStarted")("NotStarted", {
  message: Schema.String
}) {}

/** A process that listens. */
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

/** Starts a process, and waits until it listens. It ends with its scope, and that with `parent`. */
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
    // Read to its end, so that the process is never blocked by what it says.
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
    /** Kills the server that would get the next request, and starts another one in its place. */
    killNext: Effect.gen(function*() {
      const index = proxy.next()
      const killed = servers[index]!
      yield* killed.kill
      yield* Scope.close(killed.scope, Exit.void)
      servers[index] = yield* start(settings, scope)
      return { killed: killed.pid, started: servers[index].pid }
    }).pipe(Effect.provide(services)),
    /** Replaces all servers, one after the other: the new one takes over, and the old one ends. */
    restart: Effect.fnUntraced(function*(keys: string) {
      for (const [index, server] of (yield* startAll(keys)).entries()) {
        const old = servers[index]!
        servers[index] = server
        yield* Scope.close(old.scope, Exit.void)
      }
    }, Effect.provide(services))
  }
})
