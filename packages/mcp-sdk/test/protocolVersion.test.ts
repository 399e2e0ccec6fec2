import { assert, describe, it } from "@effect/vitest"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { Extra } from "../src/internal/sdk.ts"
import { sdk } from "../src/internal/sdk.ts"

const request = (headers: Record<string, string>): Extra => ({
  signal: new AbortController().signal,
  requestId: 1,
  requestInfo: { headers },
  sendNotification: () => Promise.resolve(),
  sendRequest: () => Promise.reject(new Error("not used"))
})

describe("protocolVersion", () => {
  it("a server that saw no handshake reads the revision from the header of the request", () => {
    const server = new Server({ name: "stateless", version: "1.0.0" })
    assert.strictEqual(sdk.protocolVersion(server, request({ "mcp-protocol-version": "2025-06-18" })), "2025-06-18")
  })

  it("a server that saw no handshake and no header does not know the revision", () => {
    const server = new Server({ name: "stateless", version: "1.0.0" })
    assert.isUndefined(sdk.protocolVersion(server, request({})))
  })
})
