/** The sessions of a Streamable HTTP server, on Node's `http` and the transport of an SDK. */
import type { Caller } from "@effect-sampling/core/ClientConnection"
import * as Effect from "effect/Effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { SdkSession, Stateless } from "../../HttpPort.ts"
import type { RequestId, Transport } from "../../Sdk.ts"
import { ClientChannel, idInUse } from "../calls/ClientChannel.ts"
import { dropNulls } from "../dropNulls.ts"
import { invalidParams, invalidRequest, parseError } from "../errorCodes.ts"
import { isTooDeep, tooDeep } from "../nesting.ts"
import * as OversizedMessage from "../oversizedMessage.ts"
import { endsOf } from "../oversizedMessage.ts"
import { allowOrigin, answerPreflight, isPreflight } from "./cors.ts"
import * as HttpAccess from "./HttpAccess.ts"
import * as HttpStreams from "./HttpStreams.ts"
import { initializeProblem } from "./initialize.ts"
import type { Load } from "./Load.ts"
import { readBody } from "./readBody.ts"

/**
 * The settings of the sessions.
 *
 * - `open` creates the server and transport of a session, which call `onInitialized` and `onClosed`.
 * - `isInitialize` returns whether the messages start a session.
 * - `stateless` may handle a request that belongs to no session, and returns whether it did. Default: it handles none.
 * - `principal` names the caller of a request. A session serves only the principal that opened it.
 */
export interface Settings {
  readonly open: (onInitialized: (sessionId: string) => void, onClosed: () => void) => SdkSession
  readonly isInitialize: (messages: unknown) => boolean
  readonly stateless?: Stateless["handle"] | undefined
  readonly principal: (caller: Caller) => string | undefined
  readonly path: string
  readonly access: HttpAccess.HttpAccess
  readonly maxBodyBytes: number
  readonly maxSessions: number
  readonly load: Load
  readonly lostStreamGraceMillis: number
  readonly now: () => number
}

interface Session {
  readonly sdk: SdkSession
  readonly streams: HttpStreams.HttpStreams
  readonly principal: string | undefined
  /** The name of the one who opened it, for fairness. */
  readonly caller: string
  openResponses: number
  lastSeen: number
}

/**
 * The HTTP endpoint: checks requests, reads their bodies, and finds or opens their sessions.
 *
 * Source: MCP 2025-11-25, transports, "Streamable HTTP".
 */
export class HttpSessions {
  private readonly settings: Settings
  private readonly sessions = new Map<string, Session>()
  private readonly opening = new Set<Session>()
  private readonly responses = new Set<ServerResponse>()
  private isDraining = false

  constructor(settings: Settings) {
    this.settings = settings
  }

  handle(request: IncomingMessage, response: ServerResponse): Effect.Effect<void> {
    this.responses.add(response)
    response.once("close", () => this.responses.delete(response))
    return Effect.catchCause(Effect.suspend(() => this.route(request, response)), (cause) =>
      Effect.andThen(
        Effect.logError("An HTTP request failed", cause),
        Effect.sync(() => {
          if (response.headersSent) response.destroy()
          else respond(response, 500, "Internal error")
        })
      ))
  }

  /**
   * Refuses new requests from now on. Answers to the server's own requests are still accepted, so calls in flight can
   * end.
   */
  readonly drain: Effect.Effect<void> = Effect.sync(() => {
    this.isDraining = true
  })

  /** Sends a comment on each open stream, so that proxies do not take it for dead. */
  readonly keepStreamsAlive: Effect.Effect<void> = Effect.sync(() => {
    for (const response of this.responses) {
      const isStream = String(response.getHeader("content-type")).startsWith("text/event-stream")
      if (isStream && response.headersSent && !response.writableEnded && response.writableLength === 0) {
        response.write(": keep-alive\n\n")
      }
    }
  })

  /** Closes the sessions that have no open response and were last used before `time`. */
  closeIdleSince(time: number): Effect.Effect<void> {
    return Effect.promise(() =>
      closeAll(
        [...this.sessions.values()].filter(({ lastSeen, openResponses }) => openResponses === 0 && lastSeen < time)
      )
    )
  }

  /** Closes all sessions and waits until their responses are written. */
  readonly close: Effect.Effect<void> = Effect.andThen(
    Effect.promise(() => closeAll([...this.sessions.values()])),
    Effect.suspend(() => Effect.timeoutOption(allWritten(this.responses), flushTime))
  )

  private route(request: IncomingMessage, response: ServerResponse): Effect.Effect<void> {
    const { access, path } = this.settings
    if (request.url?.split("?", 1)[0] !== path) {
      return refuse(response, 404, `The MCP endpoint is ${path}`)
    }
    const refusal = HttpAccess.refusal(request.headers, access)
    if (refusal !== undefined) return refuse(response, refusal.status, refusal.message)
    allowOrigin(request, response)
    if (isPreflight(request)) return Effect.sync(() => answerPreflight(request, response))
    if (request.method === "POST") return this.post(request, response)
    if (request.method !== "GET" && request.method !== "DELETE") {
      response.setHeader("allow", "GET, POST, DELETE")
      return refuse(response, 405, "Method not allowed")
    }
    const session = this.sessionOf(request)
    if (session !== undefined) return this.pass(session, request, response, [])
    return refuse(response, request.headers["mcp-session-id"] === undefined ? 400 : 404, noSession)
  }

  /**
   * Finds the session of a request. A session of another principal is not found, so a caller cannot learn that it
   * exists.
   */
  private sessionOf(request: IncomingMessage): Session | undefined {
    const id = request.headers["mcp-session-id"]
    const session = typeof id === "string" ? this.sessions.get(id) : undefined
    return session?.principal === this.principalOf(request) ? session : undefined
  }

  /** Names the caller of a request: the principal, or the address of a caller that nobody has authenticated. */
  private callerOf(request: IncomingMessage): string {
    const principal = this.principalOf(request)
    return principal === undefined ? `address ${request.socket.remoteAddress}` : `principal ${principal}`
  }

  private principalOf(request: IncomingMessage): string | undefined {
    return this.settings.principal(toCaller(request))
  }

  private post(request: IncomingMessage, response: ServerResponse): Effect.Effect<void> {
    const { load, maxBodyBytes } = this.settings
    const lease = load.lease(this.callerOf(request))
    const release = () => lease.release()
    if (response.closed) release()
    response.once("close", release)
    return Effect.flatMap(readBody(request, maxBodyBytes, (bytes) => lease.addBytes(bytes)), (body) => {
      const session = this.sessionOf(request)
      switch (body._tag) {
        case "Aborted":
          return Effect.void
        case "NoRoom":
          response.setHeader("connection", "close")
          return busy(response)
        case "TooLarge": {
          const problem = `it is larger than the ${maxBodyBytes} bytes that this server reads`
          response.setHeader("connection", "close")
          return this.refuseBody(session, response, body, 413, problem)
        }
        case "Text": {
          if (isTooDeep(body.text)) return this.refuseBody(session, response, endsOf(body.text), 400, tooDeep)
          const messages = parse(body.text)
          if (messages === undefined) return refuse(response, 400, "The body is not JSON-RPC", parseError)
          const requests = requestIds(messages)
          if (requests.length > load.limits.maxCalls) {
            return refuse(response, 400, `A batch may hold ${load.limits.maxCalls} requests at most`, invalidRequest)
          }
          if (!lease.addCalls(requests.length)) return busy(response)
          if (session !== undefined && requests.length > 0) {
            response.off("close", release)
            response.once("close", () => whenEnded(session, requests, release))
          }
          return session === undefined
            ? this.serveWithoutSession(request, response, messages)
            : this.serve(session, request, response, messages)
        }
      }
    })
  }

  /** Refuses a body that is not read. If the body is an answer, its ask ends at once and does not run into its time-out. */
  private refuseBody(
    session: Session | undefined,
    response: ServerResponse,
    { head, tail }: { readonly head: string; readonly tail: string },
    status: number,
    problem: string
  ): Effect.Effect<void> {
    const message = OversizedMessage.make(head, tail)
    if (session !== undefined && message?.kind === "answer") {
      ClientChannel.find(session.sdk.transport)?.fail(message.id, problem)
    }
    const id = message?.kind === "request" ? message.id : null
    return Effect.sync(() => respond(response, status, `The body was not read: ${problem}`, invalidRequest, id))
  }

  private serve(
    session: Session,
    request: IncomingMessage,
    response: ServerResponse,
    parsed: object
  ): Effect.Effect<void> {
    const requests = requestIds(parsed)
    const inFlight = findInFlight(session, requests)
    if (inFlight !== undefined) return refuse(response, 400, idInUse(inFlight), invalidRequest)
    const messages = takeAnswers(session.sdk.transport, parsed)
    if (messages === undefined) {
      response.writeHead(202)
      response.end()
      return Effect.void
    }
    return this.isDraining && requests.length > 0
      ? refuse(response, 503, shuttingDown)
      : this.pass(session, request, response, requests, messages)
  }

  private serveWithoutSession(
    request: IncomingMessage,
    response: ServerResponse,
    messages: object
  ): Effect.Effect<void> {
    const { isInitialize, maxSessions, stateless } = this.settings
    if (this.isDraining && requestIds(messages).length > 0) return refuse(response, 503, shuttingDown)
    const isHandled = stateless === undefined
      ? Effect.succeed(false)
      : Effect.promise(() => stateless(request, response, messages))
    return Effect.flatMap(isHandled, (handled) => {
      if (handled) return Effect.void
      if (!isInitialize(messages)) return refuseWithoutSession(request, response, messages)
      // A client whose session is gone may still send its id with the request that starts the next one.
      delete request.headers["mcp-session-id"]
      return this.sessions.size + this.opening.size < maxSessions || this.makeRoom(this.callerOf(request))
        ? this.open(request, response, messages)
        : refuse(response, 503, `This server has all of its ${maxSessions} sessions in use; try again later`)
    })
  }

  /**
   * Closes a session that is not in use, of the caller with the most sessions, if that caller has more of them than this
   * one would have. So a caller that opens all sessions does not keep others out.
   */
  private makeRoom(caller: string): boolean {
    const counts = new Map<string, number>()
    for (const each of this.sessions.values()) counts.set(each.caller, (counts.get(each.caller) ?? 0) + 1)
    const own = counts.get(caller) ?? 0
    let found: Session | undefined
    for (const session of this.sessions.values()) {
      const count = counts.get(session.caller) ?? 0
      if (session.openResponses > 0 || count <= own + 1) continue
      const best = found === undefined ? 0 : counts.get(found.caller) ?? 0
      if (found === undefined || count > best || (count === best && session.lastSeen < found.lastSeen)) found = session
    }
    const id = found?.sdk.transport.sessionId
    if (found === undefined || id === undefined) return false
    this.sessions.delete(id)
    found.sdk.close().catch(ignore)
    return true
  }

  private open(request: IncomingMessage, response: ServerResponse, message: object): Effect.Effect<void> {
    const session = this.makeSession(this.principalOf(request), this.callerOf(request))
    this.opening.add(session)
    return Effect.promise(() => session.sdk.connect()).pipe(
      Effect.andThen(this.pass(session, request, response, requestIds(message), message)),
      // If the session is still opening, the transport has refused it and has already sent the response.
      Effect.ensuring(Effect.promise(() => this.opening.delete(session) ? session.sdk.close() : Promise.resolve()))
    )
  }

  private makeSession(principal: string | undefined, caller: string): Session {
    const sdk = this.settings.open(
      (id) => {
        this.opening.delete(session)
        this.sessions.set(id, session)
      },
      () => {
        streams.close()
        if (sdk.transport.sessionId !== undefined) this.sessions.delete(sdk.transport.sessionId)
      }
    )
    const streams = new HttpStreams.HttpStreams(this.settings.lostStreamGraceMillis, sdk.closeStream)
    const session = { sdk, streams, principal, caller, openResponses: 0, lastSeen: this.settings.now() }
    HttpStreams.watch(sdk.transport, streams)
    reportAnswers(sdk.transport, streams)
    return session
  }

  /** Passes a request to the SDK's transport of the session, with the body that was read here. */
  private pass(
    session: Session,
    request: IncomingMessage,
    response: ServerResponse,
    requests: ReadonlyArray<RequestId>,
    messages?: object
  ): Effect.Effect<void> {
    return Effect.promise(() => {
      session.openResponses++
      const stream = session.streams.open(requests)
      response.once("close", () => {
        session.openResponses--
        session.lastSeen = this.settings.now()
        session.streams.end(stream, response.writableFinished)
      })
      return session.sdk.handle(request, response, messages)
    })
  }
}

/**
 * Returns the first of these ids that belongs to another open request, or that occurs twice, or undefined. A request is
 * open while its response is open, or while its call still runs after the connection dropped. If two open requests had
 * the same id, the SDK's transport would send the messages of the first to the second.
 *
 * MCP 2025-11-25, "Requests": an id must not have been used before in its session.
 */
const findInFlight = (
  { sdk, streams }: Session,
  requests: ReadonlyArray<RequestId>
): RequestId | undefined => {
  const channel = ClientChannel.find(sdk.transport)
  const seen = new Set<RequestId>()
  return requests.find((id) => streams.isOpen(id) || channel?.isRunning(id) === true || seen.size === seen.add(id).size)
}

/** Calls `listener` once when none of these requests runs. A call may run on after its connection dropped. */
const whenEnded = ({ sdk }: Session, requests: ReadonlyArray<RequestId>, listener: () => void): void => {
  const channel = ClientChannel.find(sdk.transport)
  const running = requests.filter((id) => channel?.isRunning(id) === true)
  let left = running.length
  if (left === 0) listener()
  for (const id of running) {
    channel?.onceEnded(id, () => {
      if (--left === 0) listener()
    })
  }
}

/** Tells the streams about each response that was sent. */
const reportAnswers = (transport: Transport, streams: HttpStreams.HttpStreams): void => {
  const send = transport.send.bind(transport)
  transport.send = (message, options) => {
    const sent = send(message, options)
    const id: unknown = typeof message === "object" && message !== null && !("method" in message)
      ? Reflect.get(message, "id")
      : undefined
    return typeof id === "string" || typeof id === "number" ? sent.then(() => streams.answered(id)) : sent
  }
}

/** The time that clients have to read the written responses when the server shuts down. */
const flushTime = "1 second"

const allWritten = (responses: ReadonlySet<ServerResponse>): Effect.Effect<void> =>
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

const shuttingDown = "The server is shutting down"

const noSession = "There is no such session; start one with an initialize request"

/** Parses the message or batch of a body, and drops its null members. Returns undefined for anything else. */
const parse = (text: string): object | undefined => {
  try {
    const json: unknown = JSON.parse(text)
    dropNulls(json)
    return typeof json === "object" && json !== null ? json : undefined
  } catch {
    return undefined
  }
}

/**
 * Handles the answers to our own requests and returns the remaining messages for the SDK, or undefined if none remain.
 * The SDK would refuse the whole body if a single message of it were invalid.
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

/** Returns the caller that the headers of a request describe. Nobody has verified these headers. */
const toCaller = ({ headers }: IncomingMessage): Caller => ({
  header: (name) => {
    const value = headers[name.toLowerCase()]
    return typeof value === "string" ? value : value?.join(", ")
  },
  authInfo: undefined
})

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

const refuseWithoutSession = (
  request: IncomingMessage,
  response: ServerResponse,
  messages: object
): Effect.Effect<void> => {
  const problem = initializeProblem(messages)
  if (problem !== undefined) return refuse(response, 400, problem, invalidParams)
  return request.headers["mcp-session-id"] === undefined
    ? refuse(response, 400, "A session starts with an initialize request")
    : refuse(response, 404, noSession)
}

const busy = (response: ServerResponse): Effect.Effect<void> => {
  response.setHeader("retry-after", "1")
  return refuse(response, 503, "This server handles as much as it can; try again later")
}

const refuse = (response: ServerResponse, status: number, message: string, code?: number): Effect.Effect<void> =>
  Effect.sync(() => respond(response, status, message, code))

const respond = (
  response: ServerResponse,
  status: number,
  message: string,
  code = -32_000,
  id: RequestId | null = null
): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id }))
}

const ignore = (): void => {}
