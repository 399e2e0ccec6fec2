import type * as HandlerKit from "@effect-sampling/mcp-kit/Handler"
import type {
  AnySchema,
  SchemaOutput,
  ShapeOutput,
  ZodRawShapeCompat
} from "@modelcontextprotocol/sdk/server/zod-compat.js"
import type { Variables } from "@modelcontextprotocol/sdk/shared/uriTemplate.js"
import type { ToolAnnotations } from "@modelcontextprotocol/sdk/types.js"

/** What the SDK takes as the schema of a tool: a zod schema, or a record of them. */
export type InputSchema = ZodRawShapeCompat | AnySchema

/** The configuration of a tool, as the SDK's `registerTool` takes it, and what the tool requires. */
export interface ToolConfig<Input extends InputSchema | undefined, Output extends InputSchema | undefined>
  extends HandlerKit.ToolConfig
{
  readonly title?: string
  readonly description?: string
  readonly inputSchema?: Input
  readonly outputSchema?: Output
  readonly annotations?: ToolAnnotations
  readonly _meta?: Record<string, unknown>
}

/** The decoded arguments of a tool or a prompt. Without a schema there are none. */
export type InputOf<Input extends InputSchema | undefined> = Input extends ZodRawShapeCompat ? ShapeOutput<Input>
  : Input extends AnySchema ? SchemaOutput<Input>
  : {}

/** The value of an output schema. Without a schema there is none. */
export type OutputOf<Output extends InputSchema | undefined> = Output extends InputSchema ? InputOf<Output> : never

/** The configuration of a prompt, as the SDK's `registerPrompt` takes it: its arguments are a record of zod schemas. */
export interface PromptConfig<Input extends ZodRawShapeCompat | undefined> {
  readonly title?: string
  readonly description?: string
  readonly argsSchema?: Input
}

/** The input of a resource's handler: the URI that the client reads, and the values of the template's variables in it. */
export interface ResourceInput {
  readonly uri: URL
  readonly variables: Variables
}
