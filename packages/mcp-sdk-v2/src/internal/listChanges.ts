import type { Server, ServerEvent, ServerEventBus } from "@modelcontextprotocol/server"

/**
 * Tells a client up to MCP 2025-11-25, or the one client of a stdio server, that a list has changed, until the function
 * that it gives is called. Over HTTP the SDK does so by itself since MCP 2026-07-28.
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
  // Nobody can subscribe to a resource.
  resource_updated: undefined
}

const ignore = (): void => {}
