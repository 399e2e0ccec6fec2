import type { Port } from "@effect-sampling/mcp-kit/StdioServer"
import * as Effect from "effect/Effect"
import { newServer, sdk } from "./sdk.ts"
import type { Sdk1 } from "./sdk.ts"

export const stdio: Port<Sdk1> = {
  sdk,
  newServer,
  connect: (makeServer, transport) =>
    Effect.acquireRelease(Effect.sync(makeServer), (server) => Effect.promise(() => server.close())).pipe(
      Effect.flatMap((server) => Effect.promise(() => server.connect(transport)))
    )
}
