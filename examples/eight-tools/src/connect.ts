/**
 * Starts the server as a process of its own and connects an official SDK client to it. Each line that the server writes
 * to stderr goes into a queue.
 */
import { SamplingClient } from "@effect-sampling/mcp-sdk"
import { NodeStream } from "@effect/platform-node"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { Effect, Queue, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as Process from "node:process"
import { Readable } from "node:stream"

export interface Options {
  readonly transport: "stdio" | "http"
  readonly canSample: boolean
  /** The server reads from it which model answers and where the provider is. */
  readonly environment: Record<string, string>
}

const command = Process.execPath
const args = ["--conditions", "@effect-sampling/source", new URL("server.ts", import.meta.url).pathname]

export const connect = Effect.fnUntraced(function*(options: Options) {
  const client = new Client({ name: "demo-client", version: "1.0.0" })
  if (options.canSample) {
    yield* SamplingClient.serve(client, {
      context: () =>
        Effect.sync(() => `The user is connected to the MCP server "${client.getServerVersion()?.name ?? "unknown"}".`)
    })
  }
  const environment = { ...options.environment, TRANSPORT: options.transport }
  const lines = yield* Queue.unbounded<string>()
  yield* options.transport === "stdio" ? overStdio(client, environment, lines) : overHttp(client, environment, lines)
  return { client, lines }
})

const collect = <E>(output: Stream.Stream<Uint8Array, E>, lines: Queue.Queue<string>) =>
  output.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => Queue.offer(lines, line)),
    Effect.ignoreCause,
    Effect.forkScoped
  )

const stderrOf = (transport: StdioClientTransport): Readable => {
  // The SDK types stderr as a Stream; with `stderr: "pipe"` it is a PassThrough.
  if (transport.stderr instanceof Readable) return transport.stderr
  throw new Error("The transport was made without stderr")
}

const overStdio = Effect.fnUntraced(
  function*(client: Client, env: Record<string, string>, lines: Queue.Queue<string>) {
    const transport = new StdioClientTransport({ command, args, env, stderr: "pipe" })
    yield* collect(NodeStream.fromReadable({ evaluate: () => stderrOf(transport), onError: (cause) => cause }), lines)
    yield* Effect.acquireRelease(
      Effect.promise(() => client.connect(transport)),
      () => Effect.promise(() => client.close())
    )
  }
)

const overHttp = Effect.fnUntraced(
  function*(client: Client, env: Record<string, string>, lines: Queue.Queue<string>) {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const server = yield* spawner.spawn(ChildProcess.make(command, args, { env, extendEnv: true }))
    yield* collect(server.stderr, lines)
    const url = yield* Queue.take(lines).pipe(
      Effect.map((line) => /listens on (http\S+)/.exec(line)?.[1]),
      Effect.repeat({ until: (found) => found !== undefined }),
      Effect.timeout("30 seconds")
    )
    const transport = new StreamableHTTPClientTransport(new URL(url))
    yield* Effect.acquireRelease(
      Effect.promise(() => client.connect(transport)),
      () => Effect.promise(() => transport.terminateSession().then(() => client.close()))
    )
  }
)
