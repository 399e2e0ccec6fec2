import type { Content } from "../Content.ts"
import type { SamplingMessage } from "../SamplingMessage.ts"
import { mapChanged } from "./mapChanged.ts"
import { isRecord } from "./objects/jsonSchema.ts"

/**
 * The key of `_meta` under which a call carries the arguments that its model wrote, if they are not a JSON object.
 */
export const argumentsKey = "effect-sampling/arguments"

/**
 * The key of `_meta` under which a block carries fields of a provider's reply that mean something to that provider only,
 * for example a signature of its reasoning. They are secrets of that provider: nobody else receives them, and they are
 * never read from what a client or a server sent.
 */
const vendorKey = "effect-sampling/vendor"

type Fields = Readonly<Record<string, unknown>>

/** Adds fields of a provider's reply to a block. */
export const addVendorFields = <A extends Content>(block: A, provider: string, fields: Fields): A => ({
  ...block,
  _meta: { ...block._meta, [vendorKey]: { provider, fields } }
})

/** Returns the fields that a provider has added to a block, or undefined if there are none. */
export const vendorFieldsOf = ({ _meta }: Content, provider: string): Fields | undefined => {
  const vendor = _meta?.[vendorKey]
  return isRecord(vendor) && vendor["provider"] === provider && isRecord(vendor["fields"])
    ? vendor["fields"]
    : undefined
}

/** Removes the fields of all providers from a block. */
export const withoutVendorFields = <A extends Content>(block: A): A => without(block, [vendorKey])

/** Removes the fields of other providers from a block. */
export const onlyFieldsOf = (provider: string) => (block: Content): Content =>
  block._meta === undefined || vendorFieldsOf(block, provider) !== undefined ? block : withoutVendorFields(block)

/** Removes this library's own metadata from a block, for a receiver to whom it means nothing. */
export const withoutOwnMeta = <A extends Content>(block: A): A => without(block, [argumentsKey, vendorKey])

const without = <A extends Content>(block: A, keys: ReadonlyArray<string>): A => {
  const { _meta } = block
  if (_meta === undefined || !keys.some((key) => Object.hasOwn(_meta, key))) return block
  const { _meta: _, ...rest } = block
  const kept = Object.entries(_meta).filter(([key]) => !keys.includes(key))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only `_meta`, which every block may lack, differs
  return (kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) }) as A
}

/** Applies a function to every block of a content. Returns the content itself if no block changes. */
export const mapBlocks = (
  content: Content | ReadonlyArray<Content>,
  f: (block: Content) => Content
): Content | ReadonlyArray<Content> => "type" in content ? f(content) : mapChanged(content, f)

/** Applies a function to every block of messages. Returns the messages themselves if no block changes. */
export const mapContent = (
  messages: ReadonlyArray<SamplingMessage>,
  f: (block: Content) => Content
): ReadonlyArray<SamplingMessage> =>
  mapChanged(messages, (message) => {
    const content = mapBlocks(message.content, f)
    return content === message.content ? message : { ...message, content }
  })
