/** The variables of a URI template, and its path in the syntax of the router of Effect's server. */
export interface UriTemplate {
  readonly variables: ReadonlyArray<string>
  readonly routerPath: string
}

/**
 * Parses a URI template (RFC 6570). Returns undefined if the URI has no variables. Throws if the router does not
 * support the template: it knows only simple variables, which end at the next slash or at the text that follows them.
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
    `Effect's McpServer cannot serve the resource "${uri}": its router does not support "${part}". ` +
      "Use simple variables such as {name}."
  )
