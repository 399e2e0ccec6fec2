import * as Data from "effect/Data"

/** A message was not written because it is larger than the other side accepts. */
export class MessageTooLarge extends Data.TaggedError("@effect-sampling/mcp-kit/internal/MessageTooLarge")<{
  readonly limit: number
}> {
  override get message(): string {
    return `it is larger than the ${this.limit} bytes that the client accepts; send less, or split it`
  }
}
