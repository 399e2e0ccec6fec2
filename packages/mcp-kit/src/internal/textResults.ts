/** The result of a prompt whose handler returned a text: one message of the user. */
export const promptOf = (text: string): object => ({
  messages: [{ role: "user", content: { type: "text", text } }]
})

/** The result of a resource whose handler returned a text. */
export const contentsOf = (text: string, uri: string, mimeType: string | undefined): object => ({
  contents: [{ uri, text, ...(mimeType !== undefined && { mimeType }) }]
})
