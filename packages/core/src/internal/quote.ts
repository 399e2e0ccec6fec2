/** Cuts text that a client, a model or a user chose to a readable length. */
export const truncate = (text: string, maxLength: number): string =>
  text.length > maxLength ? `${text.slice(0, maxLength)}…` : text

/** Cuts such text and quotes it, so it cannot break out of a message with quotes or line breaks. */
export const quote = (text: string, maxLength = 80): string => JSON.stringify(truncate(text, maxLength))
