import type * as Response from "effect/ai/Response"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const SamplingMetadata = Schema.Struct({
  source: Schema.Struct({ kind: Schema.Literals(["client", "provider", "host"]), name: Schema.String }),
  stopReason: Schema.optionalKey(Schema.String),
  passedOver: Schema.Array(Schema.String)
})

const decode = Schema.decodeUnknownOption(SamplingMetadata)

export const samplingMetadataOf = (part: Response.FinishPart): Option.Option<typeof SamplingMetadata.Type> =>
  decode(part.metadata["sampling"])
