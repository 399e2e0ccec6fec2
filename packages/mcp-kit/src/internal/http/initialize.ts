import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"

const JsonObject = Schema.Record(Schema.String, Schema.Unknown)

/** The members of the params that the SDKs check, and by which a client may get them wrong. */
const InitializeParams = Schema.Struct({
  protocolVersion: Schema.String,
  clientInfo: Schema.Struct({ name: Schema.String, version: Schema.String }),
  capabilities: Schema.Struct({
    experimental: Schema.optionalKey(Schema.Record(Schema.String, JsonObject)),
    sampling: Schema.optionalKey(
      Schema.Struct({ context: Schema.optionalKey(JsonObject), tools: Schema.optionalKey(JsonObject) })
    ),
    elicitation: Schema.optionalKey(
      Schema.Struct({ form: Schema.optionalKey(JsonObject), url: Schema.optionalKey(JsonObject) })
    ),
    roots: Schema.optionalKey(Schema.Struct({ listChanged: Schema.optionalKey(Schema.Boolean) })),
    tasks: Schema.optionalKey(JsonObject)
  })
})

const decode = Schema.decodeUnknownResult(InitializeParams)

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** Returns what is wrong with a message that starts a session, or undefined if it is no such message. */
export const initializeProblem = (message: object): string | undefined => {
  if (!("method" in message) || message.method !== "initialize") return undefined
  const decoded = decode("params" in message ? message.params : undefined)
  if (Result.isSuccess(decoded)) return "The initialize request is not valid"
  const [issue] = format(decoded.failure.issue).issues
  const path = (issue?.path ?? []).map((key) => String(typeof key === "object" ? key.key : key))
  return `The initialize request is not valid: ${["params", ...path].join(".")}: ${issue?.message ?? "not valid"}`
}
