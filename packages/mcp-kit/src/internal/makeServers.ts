import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { AnyFeatures, Feature } from "../Feature.ts"
import type { Capabilities, NewServer, Sdk, SdkTypes } from "../Sdk.ts"
import * as CallsInFlight from "./calls/CallsInFlight.ts"
import { logErrors } from "./logErrors.ts"
import { kinds, prepare, registryOf, serveKind } from "./registry.ts"

/** `makeServer` creates servers that share their features. `calls` are the calls in flight of all these servers. */
export interface Servers<Server> {
  readonly makeServer: () => Server
  readonly calls: ReadonlySet<Fiber.Fiber<unknown, unknown>>
  readonly onError: (error: Error) => void
}

/**
 * Builds the features of a server, and the function that creates its low-level servers. The features are combined once,
 * because there is a server for each session and, since MCP 2026-07-28, for each HTTP request. Features that conflict,
 * for example by two tools of one name, are a defect right away and not in the first session.
 */
export const makeServers = Effect.fnUntraced(function*<T extends SdkTypes, Features extends AnyFeatures<T["Server"]>>(
  { newServer, sdk }: { readonly sdk: Sdk<T>; readonly newServer: NewServer<T> },
  options: {
    readonly name: string
    readonly version: string
    readonly instructions?: string | undefined
    readonly features: Features
  }
): Effect.fn.Return<Servers<T["Server"]>, Effect.Error<Features[number]>, Effect.Services<Features[number]>> {
  const { instructions, name, version } = options
  const calls = new Set<Fiber.Fiber<unknown, unknown>>()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the errors and requirements of the elements are exactly these unions
  const effects = options.features as ReadonlyArray<
    Effect.Effect<Feature<T["Server"]>, Effect.Error<Features[number]>, Effect.Services<Features[number]>>
  >
  const features = yield* Effect.all(effects).pipe(Effect.provideService(CallsInFlight.CallsInFlight, calls))
  const model = newServer({ name, version, instructions, capabilities: undefined })
  for (const feature of features) feature.install(model)
  const registry = registryOf(sdk, model)
  const offered = kinds.filter((kind) => registry[kind].size > 0)
  const capabilities: Capabilities = Object.fromEntries(offered.map((kind) => [kind, {}]))
  const onError = yield* logErrors
  const makeServer = (): T["Server"] => {
    const server = newServer({ name, version, instructions, capabilities })
    server.onerror = onError
    prepare(sdk, server)
    for (const kind of offered) serveKind(sdk, server, registry, kind)
    return server
  }
  return { makeServer, calls, onError }
})
