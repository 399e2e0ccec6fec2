import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import { ClientConnection } from "../../ClientConnection.ts"
import type { ClientRequest } from "../../ClientConnection.ts"
import type { SamplingError } from "../../SamplingError.ts"
import { realClock } from "../realClock.ts"
import { seededRandom, tellingClock } from "./callServices.ts"
import type { Journal } from "./Journal.ts"
import { CurrentRun, RoundRun } from "./RoundRun.ts"
import type { Decode, Interruption } from "./RoundRun.ts"

export interface Options {
  readonly client: Pick<ClientConnection, "client" | "protocolVersion" | "capabilities">
  readonly journal: Journal
  readonly responses: ReadonlyMap<string, unknown>
  readonly maxRounds: number
  readonly settleTime: Duration.Duration
}

/** The end of one run of a handler, and the journal for the next run. */
export interface RunResult<A, E> {
  readonly exit: Exit.Exit<A, E>
  /** The reason why the run ended before its handler completed; undefined if the handler completed. */
  readonly interruption: Interruption | undefined
  readonly journal: Journal
  /** Whether the next run must know when the call started. */
  readonly isStartKnown: boolean
  /** The number of recorded answers that the run took. */
  readonly replayed: number
}

/** The client connection of a handler in rounds: an ask waits for its answer until a later round brings it. */
class RoundConnection implements ClientConnection {
  readonly unreachable = undefined
  private readonly described: Options["client"]
  private readonly run: RoundRun

  constructor(described: Options["client"], run: RoundRun) {
    this.described = described
    this.run = run
  }

  get client(): ClientConnection["client"] {
    return this.described.client
  }

  get protocolVersion(): string | undefined {
    return this.described.protocolVersion
  }

  get capabilities(): ClientConnection["capabilities"] {
    return this.described.capabilities
  }

  ask<A>(request: ClientRequest, decode: Decode<A>): Effect.Effect<A, SamplingError> {
    return this.run.ask(request, decode)
  }
}

/** Runs a handler until it ends, or until it does nothing but wait for answers. */
export const runRound = <A, E, R>(
  handler: Effect.Effect<A, E, R>,
  { client, journal, maxRounds, responses, settleTime }: Options
): Effect.Effect<RunResult<A, E>, never, R> =>
  Effect.contextWith((context: Context.Context<R>) =>
    Effect.callback((resume) => {
      const clock = Context.get(context, Clock.Clock)
      const millis = Duration.toMillis(settleTime)
      const random = Context.get(context, Random.Random)
      const run = new RoundRun({
        journal,
        responses,
        maxRounds,
        makeSeed: () => `${random.nextIntUnsafe()}${random.nextIntUnsafe()}`,
        context,
        // Work in flight takes real time, even where a test controls the handler's clock.
        settle: (onSettled) => {
          const timer = Effect.runForkWith(context)(Effect.andThen(realClock.sleep(settleTime), Effect.sync(onSettled)))
          return () => timer.interruptUnsafe()
        },
        horizon: () => clock.currentTimeMillisUnsafe() + millis
      })
      // All services are set at once, because each addition to a context from which fibers cache values costs a copy.
      const services = new Map(context.mapUnsafe)
      for (const [key, service] of run.tree.services) services.set(key, service)
      services.set(Clock.Clock.key, tellingClock(clock))
      services.set(Random.Random.key, seededRandom)
      services.set(CurrentRun.key, run)
      services.set(ClientConnection.key, new RoundConnection(client, run))
      const fiber = Effect.runForkWith(Context.makeUnsafe<R>(services))(Effect.withFiber((root) => {
        run.started(root)
        return handler
      }))
      run.onOver(() => {
        resume(Effect.succeed({
          exit: fiber.pollUnsafe() ?? Exit.interrupt(),
          interruption: run.interruption,
          journal: {
            ...journal,
            doubts: run.doubts,
            seed: run.usedSeed,
            answers: run.answers.all,
            steps: run.done,
            open: []
          },
          isStartKnown: run.isStartKnown,
          replayed: run.answers.taken
        }))
      })
      return Effect.callback((resume) => {
        run.cancel()
        run.onOver(() => resume(Effect.void))
      })
    })
  )
