import type { ClientRequest } from "../../ClientConnection.ts"
import { truncate } from "../quote.ts"

/**
 * Describes an ask to people who look for it in their code: the method, followed by its name or the beginning of its
 * text.
 */
export const aboutRequest = ({ key, method, params }: ClientRequest): string =>
  `${method} ${key ?? truncate(words(params), 60)}`

/** Quotes the words of such a description, so they cannot break out of a message. */
export const quoteAbout = (about: string): string => {
  const space = about.indexOf(" ")
  return space === -1 ? JSON.stringify(about) : `${about.slice(0, space)} ${JSON.stringify(about.slice(space + 1))}`
}

const words = (params: object): string => {
  const message: unknown = Reflect.get(params, "message")
  if (typeof message === "string") return message
  const messages: unknown = Reflect.get(params, "messages")
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined
  return textOf(typeof last === "object" && last !== null ? Reflect.get(last, "content") : undefined)
}

const textOf = (content: unknown): string => {
  const block: unknown = Array.isArray(content) ? content.at(-1) : content
  const text: unknown = typeof block === "object" && block !== null ? Reflect.get(block, "text") : undefined
  return typeof text === "string" ? text : ""
}
