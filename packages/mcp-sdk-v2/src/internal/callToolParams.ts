import type { StandardSchemaV1 } from "@modelcontextprotocol/server"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"

const CallToolParams = Schema.Struct({
  name: Schema.String,
  arguments: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})
SchemaJITCompiler.enable(CallToolParams.ast)

const decodeCallToolParams = Schema.decodeUnknownResult(CallToolParams)

/** Written by hand, because Effect's own Standard Schema runs a fiber for each value. */
export const callToolParams: StandardSchemaV1<unknown, typeof CallToolParams.Type> = {
  "~standard": {
    version: 1,
    vendor: "effect",
    validate: (value) => {
      const decoded = decodeCallToolParams(value)
      return Result.isSuccess(decoded)
        ? { value: decoded.success }
        : { issues: [{ message: decoded.failure.message }] }
    }
  }
}
