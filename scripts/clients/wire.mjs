// What the record of a connection says about the client: pure functions over the messages of both sides.

const versionKey = "io.modelcontextprotocol/protocolVersion"
const capabilitiesKey = "io.modelcontextprotocol/clientCapabilities"

const isAsk = (method) => method === "sampling/createMessage" || method === "elicitation/create"

/** The methods of the asks in a message of the server, of either era. */
const asksOf = ({ method, result }) => [
  ...(isAsk(method) ? [method] : []),
  ...Object.values(result?.inputRequests ?? {}).map((ask) => ask.method)
]

/**
 * The protocol revision that was in use, what the client declared, which asks the server sent, and the codes of its
 * errors. In 2026-07-28 each request says its revision and its capabilities; before, the handshake does.
 */
export const readWire = (records) => {
  const fromClient = records.filter(({ from }) => from === "client").map(({ message }) => message)
  const fromServer = records.filter(({ from }) => from === "server").map(({ message }) => message)
  const used = fromClient.find(({ method }) => method === "tools/list" || method === "tools/call")
  const meta = used?.params?._meta ?? {}
  const handshake = fromClient.find(({ method }) => method === "initialize")
  const accepted = fromServer.find(({ result }) => result?.protocolVersion !== undefined)
  const capabilities = meta[capabilitiesKey] ?? handshake?.params?.capabilities ?? {}
  return {
    revision: meta[versionKey] ?? accepted?.result.protocolVersion,
    declares: Object.keys(capabilities),
    asks: fromServer.flatMap(asksOf),
    codes: fromServer.flatMap(({ error }) => error === undefined ? [] : [error.code])
  }
}
