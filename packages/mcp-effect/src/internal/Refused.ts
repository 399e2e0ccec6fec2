import type { ClientUnsupported } from "@effect-sampling/core/Client"
import type { SamplingUnsupported } from "@effect-sampling/core/SamplingError"
import * as Advice from "@effect-sampling/core/wire/Advice"
import * as RequiredCapabilities from "@effect-sampling/core/wire/RequiredCapabilities"
import { visible } from "@effect-sampling/core/wire/Text"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/**
 * A JSON-RPC error in place of a result. Effect's server sends any failure of a handler that has a code and a message
 * as a JSON-RPC error, although the types of the server list only two such failures.
 */
export class Refused extends Data.TaggedError("@effect-sampling/mcp-effect/internal/Refused")<{
  readonly code: number
  readonly message: string
  readonly data?: unknown
}> {}

/**
 * Refuses a call whose client did not declare a capability. Returns undefined if the error has another reason.
 *
 * MCP 2026-07-28, "Error Codes": -32021, with status 400 over HTTP.
 */
export const missingCapability = (
  error: SamplingUnsupported | ClientUnsupported
): Effect.Effect<never, Refused> | undefined => {
  const requiredCapabilities = RequiredCapabilities.ofError(error)
  return requiredCapabilities === undefined ? undefined : Effect.withFiber((fiber) => {
    HttpEffect.appendPreResponseHandlerUnsafe(
      fiber.context,
      (_, response) => Effect.succeed(HttpServerResponse.setStatus(response, 400))
    )
    const refused = new Refused({ code: -32_021, message: visible(error.message), data: { requiredCapabilities } })
    return Effect.andThen(Advice.log(error, "A call"), Effect.fail(refused))
  })
}
