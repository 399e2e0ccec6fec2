import type { Port } from "@effect-sampling/mcp-kit/StdioServer"
import type { Server, ServerEventBus } from "@modelcontextprotocol/server"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import * as Effect from "effect/Effect"
import { forwardListChanges } from "./listChanges.ts"
import { newServerWith } from "./newServer.ts"
import { sdk } from "./sdk.ts"
import type { Sdk2 } from "./sdk.ts"

export const stdio = ({ bus, logging = false }: {
  readonly bus?: ServerEventBus | undefined
  readonly logging?: boolean | undefined
}): Port<Sdk2> => ({
  sdk,
  newServer: newServerWith({ logging, listChanged: bus !== undefined }),
  connect: (makeServer, transport, onError) =>
    Effect.gen(function*() {
      // The SDK creates a server to find out the revision of the client, and may then create another one.
      let current: Server | undefined
      const stopForwarding = forwardListChanges(bus, () => current)
      yield* Effect.addFinalizer(() => Effect.sync(stopForwarding))
      const handle = serveStdio(() => current = makeServer(), { transport, onerror: onError })
      yield* Effect.addFinalizer(() => Effect.promise(() => handle.close()))
    })
})
