/** A template of addresses with its variables, and its path for the router of Effect's server. */
export interface UriTemplate {
  readonly variables: ReadonlyArray<string>
  readonly routerPath: string
}

/**
 * The template of an address, or undefined when it has no variables. Throws where the router cannot follow RFC 6570: it
 * knows single variables, which end at the next slash or at what follows them.
 */
export const parseUriTemplate = (uri: string): UriTemplate | undefined => {
  const variables: Array<string> = []
  const routerPath = uri.split(/\{([^{}]*)\}/).map((part, index) => {
    if (index % 2 === 0) {
      if (/[{}*]/.test(part)) throw unsupported(uri, part)
      return part.replaceAll(":", "::")
    }
    if (!/^\w+$/.test(part)) throw unsupported(uri, `{${part}}`)
    return `:${variables.push(part) - 1}`
  }).join("")
  return variables.length === 0 ? undefined : { variables, routerPath }
}

const unsupported = (uri: string, part: string): Error =>
  new Error(
    `The resource "${uri}" cannot be served by Effect's McpServer: its router does not know "${part}". ` +
      "Use variables such as {name}."
  )
