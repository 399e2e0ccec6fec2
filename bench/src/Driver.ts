/**
 * The client of every measurement. It calls the tool and answers sampling requests at once, with as little work as
 * possible. It checks each result, so that a server that fails is not mistaken for a fast one.
 */
import * as Effect from "effect/Effect"
import type { Message } from "./wire.ts"
import * as Workload from "./Workload.ts"

export interface Calls {
  /**
   * The number of asks in one call of the tool.
   */
  readonly asks: number
  readonly calls: number
  /**
   * The number of calls that are open at any time.
   */
  readonly atOnce: number
}

export class Driver {
  private readonly send: (message: object) => void
  private readonly open = new Map<number, (message: Message) => void>()
  private lastId = 0
  private readonly inRounds: boolean
  private held: Array<() => void> | undefined
  private onHeld: () => void = () => {}

  /** `inRounds`: as in MCP 2026-07-28, the server asks in its result, and the driver calls again with the answers. */
  constructor(send: (message: object) => void, inRounds = false) {
    this.send = send
    this.inRounds = inRounds
  }

  readonly receive = (message: Message): void => {
    if (message.method === undefined) {
      const settle = this.open.get(message.id)
      this.open.delete(message.id)
      settle?.(message)
    } else if (message.method === "sampling/createMessage") {
      const answer = () => this.send({ jsonrpc: "2.0", id: message.id, result: Workload.answer })
      if (this.held === undefined) answer()
      else {
        this.held.push(answer)
        this.onHeld()
      }
    }
  }

  get initialize(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.request("initialize", Workload.initialize, () => {
        this.send({ jsonrpc: "2.0", method: "notifications/initialized" })
        resume(Effect.void)
      })
    })
  }

  run({ asks, atOnce, calls }: Calls): Effect.Effect<void> {
    return Effect.callback((resume) => {
      let started = 0
      let ended = 0
      const next = () => {
        started++
        this.call(asks, (problem) => {
          ended++
          if (problem !== undefined) resume(Effect.die(problem))
          else if (ended === calls) resume(Effect.void)
          // Calls start in separate turns of the event loop, as the messages of a real client arrive.
          else if (started < calls) setImmediate(next)
        })
      }
      for (let index = 0; index < Math.min(atOnce, calls); index++) next()
    })
  }

  /** Opens calls of one ask each, leaves all asks open while `use` runs, and answers them afterwards. */
  hold<A, E>(calls: number, use: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const held: Array<() => void> = []
      this.held = held
      let ended = 0
      let onEnded = () => {}
      const opened = Effect.callback<void>((resume) => {
        this.onHeld = () => {
          if (held.length === calls) resume(Effect.void)
        }
        for (let index = 0; index < calls; index++) {
          this.call(1, (problem) => {
            if (problem !== undefined) resume(Effect.die(problem))
            ended++
            if (ended === calls) onEnded()
          })
        }
      })
      const released = Effect.callback<void>((resume) => {
        onEnded = () => resume(Effect.void)
        this.held = undefined
        for (const answer of held) answer()
      })
      return Effect.andThen(opened, Effect.tap(use, released))
    })
  }

  private call(asks: number, settle: (problem: Error | undefined) => void): void {
    const parameters = {
      name: Workload.toolName,
      arguments: { text: Workload.text, asks },
      ...(this.inRounds && { _meta: Workload.envelope })
    }
    const receive = (message: Message): void => {
      const { result } = message
      if (result?.resultType === "input_required") {
        const answers = Object.keys(result.inputRequests).map((key) => [key, Workload.answer])
        const { requestState } = result
        const next = { ...parameters, inputResponses: Object.fromEntries(answers), requestState }
        return this.request("tools/call", next, receive)
      }
      const correct = result?.isError !== true && result?.content[0]?.text === Workload.resultText(asks)
      settle(correct ? undefined : new Error(`The server returned a wrong answer: ${JSON.stringify(message)}`))
    }
    this.request("tools/call", parameters, receive)
  }

  private request(method: string, params: object, settle: (message: Message) => void): void {
    const id = ++this.lastId
    this.open.set(id, settle)
    this.send({ jsonrpc: "2.0", id, method, params })
  }
}
