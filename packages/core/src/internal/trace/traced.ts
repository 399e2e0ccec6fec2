import * as Effect from "effect/Effect"
import type { Fiber } from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import { CaptureContent } from "../../Telemetry.ts"
import { isNative } from "./notingTracer.ts"

/**
 * Runs effects in a span with the attributes of the request and of the response. If no tracer is installed, nobody can
 * see a span, so none is made: it would cost more than the rest of the request.
 */
export const traced = <Request, Response>(name: string, options: {
  readonly kind: Tracer.SpanKind
  readonly requestAttributes: (request: Request, capture: boolean) => Record<string, unknown>
  readonly responseAttributes: (response: Response, capture: boolean) => Record<string, unknown>
}) =>
<E, R>(
  /** The fiber that will run the effect. */
  fiber: Fiber<unknown, unknown>,
  request: Request,
  effect: Effect.Effect<Response, E, R>
): Effect.Effect<Response, E, R> =>
  isNative(fiber.getRef(Tracer.Tracer))
    ? effect
    : Effect.flatMap(CaptureContent, (capture) =>
      Effect.withSpan(
        Effect.tap(effect, (response) => Effect.annotateCurrentSpan(options.responseAttributes(response, capture))),
        name,
        { kind: options.kind, attributes: options.requestAttributes(request, capture), captureStackTrace: false }
      ))
