/** What the SDKs refuse about the envelope of a request. They pass such a message to `onerror` and never answer it. */

/**
 * Returns what is wrong with a message that has an id and a method, or undefined. A null member counts as absent: the
 * server removes it.
 *
 * Source: MCP 2025-11-25, "Requests", and the schema `JSONRPCRequest` of both SDKs.
 */
export const requestProblem = (message: object): string | undefined => {
  if (!("jsonrpc" in message) || message.jsonrpc !== "2.0") return "`jsonrpc` has to be \"2.0\""
  if (!("method" in message) || typeof message.method !== "string") return "`method` has to be a string"
  if (Object.keys(message).some((key) => !members.has(key))) {
    return "only `jsonrpc`, `id`, `method` and `params` may stand beside one another"
  }
  const params = "params" in message ? message.params : undefined
  if (params === undefined || params === null) return undefined
  if (!isObject(params)) return "`params` has to be an object"
  const meta = "_meta" in params ? params._meta : undefined
  if (meta === undefined || meta === null) return undefined
  if (!isObject(meta)) return "`params._meta` has to be an object"
  const token = "progressToken" in meta ? meta.progressToken : undefined
  return token === undefined || token === null || typeof token === "string" || Number.isSafeInteger(token)
    ? undefined
    : "`params._meta.progressToken` has to be a string or an integer"
}

const members = new Set(["jsonrpc", "id", "method", "params"])

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)
