import type * as HandlerKit from "@effect-sampling/mcp-kit/Handler"
import type {
  Icon,
  McpServer,
  ScopeChallengeHandler,
  StandardSchemaWithJSON,
  ToolAnnotations,
  Variables
} from "@modelcontextprotocol/server"

/** A record of zod schemas, which the SDK wraps in `z.object`. The SDK exports no name for it. */
type RawShape = NonNullable<Parameters<McpServer["registerPrompt"]>[1]["argsSchema"]>

/** What the SDK takes as the schema of a tool or of the arguments of a prompt: a whole schema, or a record of zod's. */
export type InputSchema = StandardSchemaWithJSON | RawShape

/** The members that the configurations of tools and prompts share. */
interface Config {
  readonly title?: string
  readonly description?: string
  readonly icons?: Array<Icon>
  readonly scopeChallenge?: ScopeChallengeHandler
  readonly _meta?: Record<string, unknown>
}

/** The configuration of a tool, as the SDK's `registerTool` takes it, and what the tool requires. */
export interface ToolConfig<Input extends InputSchema | undefined, Output extends InputSchema | undefined>
  extends Config, HandlerKit.ToolConfig
{
  readonly inputSchema?: Input
  readonly outputSchema?: Output
  readonly annotations?: ToolAnnotations
}

/** The configuration of a prompt, as the SDK's `registerPrompt` takes it. */
export interface PromptConfig<Input extends InputSchema | undefined> extends Config {
  readonly argsSchema?: Input
}

/** The decoded arguments of a tool or a prompt. Without a schema there are none. */
export type InputOf<Input extends InputSchema | undefined> = Input extends StandardSchemaWithJSON
  ? StandardSchemaWithJSON.InferOutput<Input>
  : Input extends RawShape ? ShapeOutput<Input>
  : {}

/** The type that `z.object` gives to a record of schemas: fields of optional schemas are optional. */
type ShapeOutput<Shape extends RawShape> = Flatten<
  & { -readonly [K in keyof Shape as Shape[K] extends Optional ? never : K]: FieldOutput<Shape[K]> }
  & { -readonly [K in keyof Shape as Shape[K] extends Optional ? K : never]?: FieldOutput<Shape[K]> }
>

type FieldOutput<Field> = Field extends StandardSchemaWithJSON ? StandardSchemaWithJSON.InferOutput<Field> : never

type Optional = { readonly _zod: { readonly optout: "optional" } }

type Flatten<A> = { [K in keyof A]: A[K] }

/** The value of an output schema. Without a schema there is none. */
export type OutputOf<Output extends InputSchema | undefined> = Output extends InputSchema ? InputOf<Output> : never

/** The input of a resource's handler: the URI that the client reads, and the values of the template's variables in it. */
export interface ResourceInput {
  readonly uri: URL
  readonly variables: Variables
}
