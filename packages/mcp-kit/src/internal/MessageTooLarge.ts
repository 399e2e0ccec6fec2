import * as Data from "effect/Data"

/** A message over the size that the other side reads. It was not written. */
export class MessageTooLarge extends Data.TaggedError("@effect-sampling/mcp-kit/internal/MessageTooLarge")<{
  readonly limit: number
}> {
  override get message(): string {
    return `it is larger than ${this.limit} bytes, more than the client reads at once; send less, or in parts`
  }
}
