/** Removes the null members of messages that others wrote, because many of them write null for an absent member. */

/**
 * Removes the null members of a message of MCP, or of a batch, before an SDK validates it. It changes the message
 * itself, and copies what is inside: the parameters may belong to somebody else if they arrive in memory.
 *
 * The nulls of user data stay, because only the Schema of that data knows what they mean. The result of an ask is
 * decoded by core, which also accepts null for an absent member; an SDK's HTTP transport checks only its `_meta`.
 */
export const dropNulls = (message: unknown): void => {
  if (Array.isArray(message)) return message.forEach(dropNulls)
  if (!isRecord(message)) return
  const { error, method, params, result } = message
  if (typeof method === "string" && !isOfMcp.test(method)) return
  if (params === null) delete message["params"]
  else if (isRecord(params) && holdsNull(params, maxDepth)) message["params"] = withoutNulls(params, maxDepth)
  if (error === null && isRecord(result)) delete message["error"]
  if (result === null && isRecord(error)) delete message["result"]
  if (isRecord(result) && result["_meta"] === null) {
    const { _meta: _, ...rest } = result
    message["result"] = rest
  }
}

/** The methods that users add to a server have parameters of their own. */
const isOfMcp = new RegExp(
  "^(?:initialize|ping|(?:tools|prompts|resources|completion|logging|sampling|elicitation|roots|notifications|server|" +
    "tasks|subscriptions)/)"
)

/** The part of a client or server of an SDK that receives messages. */
export interface Peer {
  connect(transport: never): Promise<void>
}

/** Makes a client or server of an SDK remove null members from what it receives. Call it before `connect`. */
export const dropNullsOf = (peer: Peer): void => {
  if (dropping.has(peer)) return
  dropping.add(peer)
  const connect = peer.connect.bind(peer)
  peer.connect = (transport: Receiver) => {
    const { onmessage } = transport
    // An SDK calls the handler that a transport already has before its own.
    transport.onmessage = (message, extra) => {
      dropNulls(message)
      onmessage?.(message, extra)
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the transport that the caller passed
    return connect(transport as never)
  }
}

interface Receiver {
  onmessage?: ((message: unknown, extra?: unknown) => void) | undefined
}

const dropping = new WeakSet<Peer>()

/** The members in which MCP carries the data of users, tools and models. */
const userData = new Set([
  "arguments",
  "input",
  "inputResponses",
  "inputSchema",
  "metadata",
  "outputSchema",
  "requestedSchema",
  "structuredContent"
])

/** Nothing that MCP defines in the parameters of a request is nested more deeply, and hostile messages may be. */
const maxDepth = 12

/** Returns whether there is a null to remove. Most messages have none, and finding that out allocates nothing. */
const holdsNull = (value: object, left: number): boolean => {
  const isArray = Array.isArray(value)
  for (const key in value) {
    const member: unknown = Reflect.get(value, key)
    if (member === null) {
      if (!isArray) return true
    } else if (typeof member === "object" && left > 1 && !userData.has(key) && holdsNull(member, left - 1)) return true
  }
  return false
}

const withoutNulls = <A>(value: A, left: number): A => {
  if (typeof value !== "object" || value === null || left === 0) return value
  let copy: Record<PropertyKey, unknown> | undefined
  for (const [key, member] of Object.entries(value)) {
    const isDropped = member === null && !Array.isArray(value)
    const clean = isDropped || userData.has(key) ? member : withoutNulls<unknown>(member, left - 1)
    if (!isDropped && clean === member) continue
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- arrays and objects are both written by key below
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<PropertyKey, unknown>
    if (isDropped) delete copy[key]
    else copy[key] = clean
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the copy differs only in members that JSON may leave out
  return copy === undefined ? value : copy as A
}

const isRecord = (u: unknown): u is Record<string, unknown> => typeof u === "object" && u !== null && !Array.isArray(u)
