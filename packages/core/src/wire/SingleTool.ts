/**
 * One tool with its handler, as a toolkit that is ready to be served: for adapters.
 *
 * @since 0.1.0
 */
import type * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ClientAskError } from "../Client.ts"

/**
 * The handler of one tool. It may fail with the errors that the tool declares, and with every error of sampling and of
 * asking the client, which need not be declared.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolHandler<Served extends Tool.Any, R> = (
  parameters: Tool.Parameters<Served>,
  context: Toolkit.HandlerContext<Served>
) => Effect.Effect<Tool.Success<Served>, Tool.Failure<Served> | ClientAskError, R>

/**
 * A toolkit of one tool, and the context in which its handler and the services of the handler are found.
 *
 * @category models
 * @since 0.1.0
 */
export interface SingleTool<Served extends Tool.Any, R> {
  readonly toolkit: Toolkit.Toolkit<{ readonly [Name in Served["name"]]: Served }>
  readonly context: Context.Context<R | Tool.HandlersFor<{ readonly [Name in Served["name"]]: Served }>>
}

/**
 * Builds the toolkit and captures the services of the handler.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Served extends Tool.Any, R>(
  tool: Served,
  handler: ToolHandler<Served, R>
): Effect.Effect<SingleTool<Served, R>, never, R> =>
  Effect.gen(function*() {
    const services = yield* Effect.context<R>()
    const toolkit = Toolkit.make(tool.setFailure(Schema.Union([tool.failureSchema, ClientAskError])))
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the record has one handler, under the name of the one tool
    const handlers = yield* toolkit.toHandlers({ [tool.name]: handler } as never)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tool keeps its name; the errors that were added to it are the adapter's to report
    return { toolkit, context: Context.merge(services, handlers) } as unknown as SingleTool<Served, R>
  })
