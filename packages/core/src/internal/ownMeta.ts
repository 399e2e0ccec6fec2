import type { Content } from "../Content.ts"
import type { SamplingMessage } from "../SamplingMessage.ts"
import { mapChanged } from "./mapChanged.ts"

/**
 * The keys of `_meta` under which content blocks carry what this library needs later. They are read back from blocks
 * that a source of this process made, and never from those of a client.
 */
export const argumentsKey = "effect-sampling/arguments"

const ownKeys: ReadonlySet<string> = new Set([argumentsKey])

/** Removes this library's own metadata from a block, for a receiver to whom it means nothing. */
export const withoutOwnMeta = <A extends Content>(block: A): A => {
  const { _meta } = block
  if (_meta === undefined || !Object.keys(_meta).some((key) => ownKeys.has(key))) return block
  const { _meta: _, ...rest } = block
  const kept = Object.entries(_meta).filter(([key]) => !ownKeys.has(key))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only `_meta`, which every block may lack, differs
  return (kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) }) as A
}

/** Applies a function to every block of messages. Returns the messages themselves if no block changes. */
export const mapContent = (
  messages: ReadonlyArray<SamplingMessage>,
  f: (block: Content) => Content
): ReadonlyArray<SamplingMessage> =>
  mapChanged(messages, (message) => {
    const { content } = message
    const mapped = "type" in content ? f(content) : mapChanged(content, f)
    return mapped === content ? message : { ...message, content: mapped }
  })
