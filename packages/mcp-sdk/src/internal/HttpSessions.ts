import { ClientChannel } from "@effect-sampling/core/adapter/ClientChannel"
import * as HttpAccess from "@effect-sampling/core/adapter/HttpAccess"
import * as HttpStreams from "@effect-sampling/core/adapter/HttpStreams"
import * as OversizedMessage from "@effect-sampling/core/adapter/OversizedMessage"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js"
import type { RequestId } from "@modelcontextprotocol/sdk/types.js"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Feature } from "../Feature.ts"
import { readBody } from "./httpBody.ts"

export interface Settings {
  readonly name: string
  readonly version: string
  readonly instructions: string | undefined
  readonly features: ReadonlyArray<Feature>
  readonly path: string
  readonly access: HttpAccess.HttpAccess
  readonly maxBodyBytes: number
  readonly maxSessions: number
  readonly lostStreamGraceMillis: number
  readonly now: () => number
  readonly onError: (error: Error) => void
}

/** The sessions of a Streamable HTTP server: one SDK server and transport each. */
export interface HttpSessions {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Effect.Effect<void>
  /** From now on only answers to requests of the server are taken, so that calls in flight can end. */
  readonly drain: Effect.Effect<void>
  /** Ends the sessions that have no open response and were not used since `time`. */
  readonly closeIdleSince: (time: number) => Effect.Effect<void>
  /** Ends all sessions and waits until their responses are written. */
  readonly close: Effect.Effect<void>
}

interface Session {
  readonly server: Server
  readonly transport: StreamableHTTPServerTransport
  readonly streams: HttpStreams.HttpStreams
  openResponses: number
  lastSeen: number
}

export const make = (settings: Settings): HttpSessions => {
  const sessions = new Map<string, Session>()
  const opening = new Set<Session>()
  const responses = new Set<ServerResponse>()
  let draining = false

  const sessionOf = (request: IncomingMessage): Session | undefined => {
    const id = request.headers["mcp-session-id"]
    return typeof id === "string" ? sessions.get(id) : undefined
  }

  /** Lets the SDK's transport of the session handle a request, with the body that was read here. */
  const pass = (
    session: Session,
    request: IncomingMessage,
    response: ServerResponse,
    requests: ReadonlyArray<RequestId>,
    messages?: unknown
  ) =>
    Effect.promise(() => {
      session.openResponses++
      session.streams.open(requests)
      response.once("close", () => {
        session.openResponses--
        session.lastSeen = settings.now()
        session.streams.end(requests, response.writableFinished)
      })
      return session.transport.handleRequest(request, response, messages)
    })

  const makeServer = (): Server => {
    const { features, instructions, name, version } = settings
    const server = new Server({ name, version }, instructions === undefined ? {} : { instructions })
    for (const feature of features) feature.install(server)
    return server
  }
  // Features that do not go together are a defect now, not in each session.
  makeServer()

  const makeSession = (): Session => {
    const server = makeServer()
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        opening.delete(session)
        sessions.set(id, session)
      }
    })
    const streams = new HttpStreams.HttpStreams(settings.lostStreamGraceMillis, (id) => transport.closeSSEStream(id))
    const session = { server, transport, streams, openResponses: 0, lastSeen: settings.now() }
    server.onerror = settings.onError
    server.onclose = () => {
      streams.close()
      if (transport.sessionId !== undefined) sessions.delete(transport.sessionId)
    }
    HttpStreams.watch(transport, streams)
    return session
  }

  const open = (request: IncomingMessage, response: ServerResponse, message: unknown) =>
    Effect.suspend(() => {
      const session = makeSession()
      opening.add(session)
      return Effect.promise(() => session.server.connect(session.transport)).pipe(
        Effect.andThen(pass(session, request, response, requestIds(message), message)),
        // A session that is still opening was refused by the transport, which has answered so.
        Effect.ensuring(Effect.promise(() => opening.delete(session) ? session.server.close() : Promise.resolve()))
      )
    })

  const post = Effect.fnUntraced(function*(request: IncomingMessage, response: ServerResponse) {
    const body = yield* readBody(request, settings.maxBodyBytes)
    if (body._tag === "Aborted") return
    const session = sessionOf(request)
    if (body._tag === "TooLarge") {
      const problem = `it is larger than the ${settings.maxBodyBytes} bytes that this server reads`
      const message = OversizedMessage.make(body.head, body.tail)
      if (session !== undefined && message?.kind === "answer") {
        ClientChannel.find(session.transport)?.fail(message.id, problem)
      }
      response.setHeader("connection", "close")
      return respond(response, 413, `The body is too large: ${problem}`)
    }
    const parsed = parse(body.text)
    if (parsed === undefined) return respond(response, 400, "The body is not JSON-RPC", -32_700)
    const messages = session === undefined ? parsed : takeAnswers(session, parsed)
    if (messages === undefined) {
      response.writeHead(202).end()
      return
    }
    const requests = requestIds(messages)
    if (draining && requests.length > 0) return respond(response, 503, "The server is shutting down")
    if (session !== undefined) return yield* pass(session, request, response, requests, messages)
    if (request.headers["mcp-session-id"] !== undefined) return respond(response, 404, noSession)
    if (!isInitializeRequest(messages)) return respond(response, 400, "A session starts with an initialize request")
    return sessions.size + opening.size < settings.maxSessions
      ? yield* open(request, response, messages)
      : respond(response, 503, `This server has all of its ${settings.maxSessions} sessions in use; try again later`)
  })

  const route = (request: IncomingMessage, response: ServerResponse): Effect.Effect<void> => {
    const { access, path } = settings
    if (request.url?.split("?", 1)[0] !== path) {
      return Effect.sync(() => respond(response, 404, `The MCP endpoint is ${path}`))
    }
    const refused = HttpAccess.refusal(request.headers, access)
    if (refused !== undefined) return Effect.sync(() => respond(response, 403, refused))
    if (request.method === "POST") return post(request, response)
    if (request.method !== "GET" && request.method !== "DELETE") {
      response.setHeader("allow", "GET, POST, DELETE")
      return Effect.sync(() => respond(response, 405, "Method not allowed"))
    }
    const session = sessionOf(request)
    return session === undefined
      ? Effect.sync(() => respond(response, request.headers["mcp-session-id"] === undefined ? 400 : 404, noSession))
      : pass(session, request, response, [])
  }

  return {
    handle: (request, response) => {
      responses.add(response)
      response.once("close", () => responses.delete(response))
      return Effect.catchCause(route(request, response), (cause) =>
        Effect.andThen(
          Effect.logError("An HTTP request failed", cause),
          Effect.sync(() => {
            if (!response.headersSent) respond(response, 500, "Internal error")
          })
        ))
    },
    drain: Effect.sync(() => {
      draining = true
    }),
    closeIdleSince: (time) =>
      Effect.promise(() =>
        closeAll([...sessions.values()].filter(({ lastSeen, openResponses }) => openResponses === 0 && lastSeen < time))
      ),
    close: Effect.andThen(
      Effect.promise(() => closeAll([...sessions.values()])),
      Effect.suspend(() => Effect.timeoutOption(allWritten(responses), flushTime))
    )
  }
}

/** How long clients get to read what is written already, when the server shuts down. */
const flushTime = "1 second"

const allWritten = (responses: ReadonlySet<ServerResponse>): Effect.Effect<void> =>
  Effect.forEach(responses, (response) =>
    Effect.callback<void>((resume) => {
      if (response.destroyed || response.writableFinished) resume(Effect.void)
      else response.once("finish", () => resume(Effect.void)).once("close", () => resume(Effect.void))
    }), { concurrency: "unbounded", discard: true })

const closeAll = (sessions: ReadonlyArray<Session>): Promise<ReadonlyArray<void>> =>
  Promise.all(sessions.map(({ server }) => server.close()))

const noSession = "There is no such session; start one with an initialize request"

/** The message or batch of a body. */
const parse = (text: string): object | undefined => {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === "object" && json !== null ? json : undefined
  } catch {
    return undefined
  }
}

/**
 * Takes the answers to requests of ours, and gives what is left for the SDK, which would refuse a body for one message
 * that it does not like. Undefined when nothing is left.
 */
const takeAnswers = (session: Session, parsed: object): object | undefined => {
  const channel = ClientChannel.find(session.transport)
  if (channel === undefined) return parsed
  if (!Array.isArray(parsed)) {
    return channel.receive(parsed) ? undefined : parsed
  }
  const left = parsed.filter((message) => !channel.receive(message))
  return left.length > 0 || parsed.length === 0 ? left : undefined
}

const requestIds = (messages: unknown): ReadonlyArray<RequestId> => {
  const ids: Array<RequestId> = []
  for (const message of Array.isArray(messages) ? messages : [messages]) {
    const id: unknown = typeof message === "object" && message !== null && "method" in message
      ? Reflect.get(message, "id")
      : undefined
    if (typeof id === "number" || typeof id === "string") ids.push(id)
  }
  return ids
}

const respond = (response: ServerResponse, status: number, message: string, code = -32_000): void => {
  response.writeHead(status, { "content-type": "application/json" })
    .end(JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id: null }))
}
