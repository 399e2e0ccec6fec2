import * as Schema from "effect/Schema"

const Meta = Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))

/** MCP 2025-11-25, `ElicitResult`. */
export const ElicitResult = Schema.Struct({
  action: Schema.Literals(["accept", "decline", "cancel"]),
  content: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
  _meta: Meta
})

/** MCP 2025-11-25, `ListRootsResult`. */
export const ListRootsResult = Schema.Struct({
  roots: Schema.Array(Schema.Struct({
    uri: Schema.String,
    name: Schema.optionalKey(Schema.String),
    _meta: Meta
  })),
  _meta: Meta
})
