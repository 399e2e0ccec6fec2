/** Text that a client, a model or a user chose, cut to a readable length. */
export const truncate = (text: string, maxLength: number): string =>
  text.length > maxLength ? `${text.slice(0, maxLength)}…` : text

/** The same, quoted: it cannot break out of a message, by quotes or line breaks. */
export const quote = (text: string): string => JSON.stringify(truncate(text, 80))
