import type * as Prompt from "effect/ai/Prompt"
import { isRecord } from "../objects/jsonSchema.ts"

type Fields = Readonly<Record<string, unknown>>

/**
 * Writes the fields that an `effect/ai` prompt does not have under `sampling` in the provider options of a part or
 * message.
 */
export const toOptions = (fields: Fields): { readonly options?: { readonly [key: string]: null } } => {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fields are JSON, being parts of a sampling request
  return present.length === 0 ? {} : { options: { sampling: Object.fromEntries(present) } as never }
}

export const fromOptions = (options: Prompt.ProviderOptions): Fields => {
  const fields: unknown = options["sampling"]
  return isRecord(fields) ? fields : {}
}

export const metaOf = (options: Prompt.ProviderOptions): { readonly _meta?: Fields } => {
  const { _meta } = fromOptions(options)
  return isRecord(_meta) ? { _meta } : {}
}

export const commonOf = (
  options: Prompt.ProviderOptions
): { readonly annotations?: Fields; readonly _meta?: Fields } => {
  const { annotations } = fromOptions(options)
  return { ...(isRecord(annotations) && { annotations }), ...metaOf(options) }
}
