/**
 * The sessions of a server over Streamable HTTP, on Node's `http` and the transport of an SDK: for adapters.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { readBody } from "../internal/httpBody.ts"
import type { BodySource } from "../internal/httpBody.ts"
import { ClientChannel } from "./ClientChannel.ts"
import type { RequestId, Transport } from "./ClientChannel.ts"
import * as HttpAccess from "./HttpAccess.ts"
import * as HttpStreams from "./HttpStreams.ts"
import * as OversizedMessage from "./OversizedMessage.ts"

/**
 * What is needed of Node's `IncomingMessage`.
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpRequest extends BodySource {
  readonly url?: string | undefined
  readonly method?: string | undefined
  readonly headers: {
    readonly host?: string | undefined
    readonly origin?: string | undefined
    readonly [name: string]: string | Array<string> | undefined
  }
}

/**
 * What is needed of Node's `ServerResponse`.
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpResponse {
  readonly headersSent: boolean
  readonly destroyed: boolean
  readonly writableFinished: boolean
  setHeader(name: string, value: string): unknown
  writeHead(status: number, headers?: Record<string, string>): unknown
  end(text?: string): unknown
  once(event: "close" | "finish", listener: () => void): unknown
}

/**
 * One SDK server with its transport.
 *
 * @category models
 * @since 0.1.0
 */
export interface SdkSession<Request, Response> {
  readonly transport: Transport & { readonly sessionId?: string | undefined }
  readonly connect: () => Promise<void>
  readonly close: () => Promise<void>
  readonly closeStream: (requestId: RequestId) => void
  readonly handle: (request: Request, response: Response, messages: unknown) => Promise<void>
}

/**
 * - `open` makes the server and transport of a session, which call `onInitialized` and `onClosed`.
 * - `isInitialize` tells whether messages start a session.
 * - `other` may handle requests that belong to no session; it gives whether it did. Default: none are handled.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings<Request, Response> {
  readonly open: (
    onInitialized: (sessionId: string) => void,
    onClosed: () => void
  ) => SdkSession<Request, Response>
  readonly isInitialize: (messages: unknown) => boolean
  readonly other?: ((request: Request, response: Response, messages: object) => Promise<boolean>) | undefined
  readonly path: string
  readonly access: HttpAccess.HttpAccess
  readonly maxBodyBytes: number
  readonly maxSessions: number
  readonly lostStreamGraceMillis: number
  readonly now: () => number
}

/**
 * - `drain`: from now on only answers to requests of the server are taken, so that calls in flight can end.
 * - `closeIdleSince`: ends the sessions that have no open response and were not used since a time.
 * - `close`: ends all sessions and waits until their responses are written.
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpSessions<Request, Response> {
  readonly handle: (request: Request, response: Response) => Effect.Effect<void>
  readonly drain: Effect.Effect<void>
  readonly closeIdleSince: (time: number) => Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

interface Session<Request, Response> {
  readonly sdk: SdkSession<Request, Response>
  readonly streams: HttpStreams.HttpStreams
  openResponses: number
  lastSeen: number
}

/**
 * Checks requests, reads their bodies, and finds or opens their sessions.
 *
 * Source: MCP 2025-11-25, transports, "Streamable HTTP".
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Request extends HttpRequest, Response extends HttpResponse>(
  settings: Settings<Request, Response>
): HttpSessions<Request, Response> => {
  const sessions = new Map<string, Session<Request, Response>>()
  const opening = new Set<Session<Request, Response>>()
  const responses = new Set<Response>()
  let draining = false

  const sessionOf = (request: Request): Session<Request, Response> | undefined => {
    const id = request.headers["mcp-session-id"]
    return typeof id === "string" ? sessions.get(id) : undefined
  }

  /** Lets the SDK's transport of the session handle a request, with the body that was read here. */
  const pass = (
    session: Session<Request, Response>,
    request: Request,
    response: Response,
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
      return session.sdk.handle(request, response, messages)
    })

  const makeSession = (): Session<Request, Response> => {
    const sdk = settings.open(
      (id) => {
        opening.delete(session)
        sessions.set(id, session)
      },
      () => {
        streams.close()
        if (sdk.transport.sessionId !== undefined) sessions.delete(sdk.transport.sessionId)
      }
    )
    const streams = new HttpStreams.HttpStreams(settings.lostStreamGraceMillis, sdk.closeStream)
    const session = { sdk, streams, openResponses: 0, lastSeen: settings.now() }
    HttpStreams.watch(sdk.transport, streams)
    return session
  }

  const open = (request: Request, response: Response, message: unknown) =>
    Effect.suspend(() => {
      const session = makeSession()
      opening.add(session)
      return Effect.promise(() => session.sdk.connect()).pipe(
        Effect.andThen(pass(session, request, response, requestIds(message), message)),
        // A session that is still opening was refused by the transport, which has answered so.
        Effect.ensuring(Effect.promise(() => opening.delete(session) ? session.sdk.close() : Promise.resolve()))
      )
    })

  const post = Effect.fnUntraced(function*(request: Request, response: Response) {
    const body = yield* readBody(request, settings.maxBodyBytes)
    if (body._tag === "Aborted") return
    const session = sessionOf(request)
    if (body._tag === "TooLarge") {
      const problem = `it is larger than the ${settings.maxBodyBytes} bytes that this server reads`
      const message = OversizedMessage.make(body.head, body.tail)
      if (session !== undefined && message?.kind === "answer") {
        ClientChannel.find(session.sdk.transport)?.fail(message.id, problem)
      }
      response.setHeader("connection", "close")
      return respond(response, 413, `The body is too large: ${problem}`)
    }
    const parsed = parse(body.text)
    if (parsed === undefined) return respond(response, 400, "The body is not JSON-RPC", -32_700)
    const messages = session === undefined ? parsed : takeAnswers(session.sdk.transport, parsed)
    if (messages === undefined) {
      response.writeHead(202)
      response.end()
      return
    }
    const requests = requestIds(messages)
    if (draining && requests.length > 0) return respond(response, 503, "The server is shutting down")
    if (session !== undefined) return yield* pass(session, request, response, requests, messages)
    if (settings.other !== undefined) {
      const { other } = settings
      if (yield* Effect.promise(() => other(request, response, messages))) return
    }
    if (request.headers["mcp-session-id"] !== undefined) return respond(response, 404, noSession)
    if (!settings.isInitialize(messages)) return respond(response, 400, "A session starts with an initialize request")
    return sessions.size + opening.size < settings.maxSessions
      ? yield* open(request, response, messages)
      : respond(response, 503, `This server has all of its ${settings.maxSessions} sessions in use; try again later`)
  })

  const route = (request: Request, response: Response): Effect.Effect<void> => {
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

const allWritten = (responses: ReadonlySet<HttpResponse>): Effect.Effect<void> =>
  Effect.forEach(responses, (response) =>
    Effect.callback<void>((resume) => {
      if (response.destroyed || response.writableFinished) resume(Effect.void)
      else {
        response.once("finish", () => resume(Effect.void))
        response.once("close", () => resume(Effect.void))
      }
    }), { concurrency: "unbounded", discard: true })

const closeAll = (
  sessions: ReadonlyArray<{ readonly sdk: { readonly close: () => Promise<void> } }>
): Promise<ReadonlyArray<void>> => Promise.all(sessions.map(({ sdk }) => sdk.close()))

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
const takeAnswers = (transport: Transport, parsed: object): object | undefined => {
  const channel = ClientChannel.find(transport)
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

const respond = (response: HttpResponse, status: number, message: string, code = -32_000): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id: null }))
}
