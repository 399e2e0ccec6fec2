import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { isNative } from "../trace/notingTracer.ts"
import type { TraceContext } from "./Journal.ts"

export interface RoundAttributes {
  readonly index: number
  readonly asks: number
  readonly replayed: number
  readonly stateBytes: number
}

/**
 * Runs a round in a span whose parent is the span of the first round, so all rounds of a call form one trace. If no
 * tracer is installed, nobody can see a span, so none is made.
 */
export const inRoundSpan = <A, E, R>(
  name: string,
  first: TraceContext | undefined,
  round: (trace: TraceContext | undefined, annotate: (attributes: RoundAttributes) => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.tracer, (tracer) =>
    isNative(tracer)
      ? round(first, () => undefined)
      : Effect.useSpan(
        name,
        { kind: "server", ...(first !== undefined && { parent: Tracer.externalSpan(first) }) },
        (span) =>
          Effect.withParentSpan(
            round(first ?? { traceId: span.traceId, spanId: span.spanId, sampled: span.sampled }, (attributes) => {
              span.attribute("sampling.round.index", attributes.index)
              span.attribute("sampling.round.asks", attributes.asks)
              span.attribute("sampling.round.replayed_answers", attributes.replayed)
              span.attribute("sampling.round.state_bytes", attributes.stateBytes)
            }),
            span
          )
      ))
