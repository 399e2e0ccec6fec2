import type { Server, ServerEvent, ServerEventBus } from "@modelcontextprotocol/server"

/**
 * Notifies a client of changed lists. Returns the function that stops it. The client is one up to MCP 2025-11-25, or
 * the only client of a stdio server. Clients of MCP 2026-07-28 over HTTP are notified by the SDK itself.
 */
export const forwardListChanges = (bus: ServerEventBus | undefined, server: () => Server | undefined): () => void =>
  bus === undefined ? ignore : bus.subscribe(({ kind }) => {
    const target = server()
    const method = methods[kind]
    if (target?.transport !== undefined && method !== undefined) target.notification({ method }).catch(ignore)
  })

const methods: { readonly [Kind in ServerEvent["kind"]]: string | undefined } = {
  tools_list_changed: "notifications/tools/list_changed",
  prompts_list_changed: "notifications/prompts/list_changed",
  resources_list_changed: "notifications/resources/list_changed",
  // Clients cannot subscribe to a resource of these servers.
  resource_updated: undefined
}

const ignore = (): void => {}
