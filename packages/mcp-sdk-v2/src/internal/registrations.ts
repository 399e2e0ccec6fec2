import type {
  Icon,
  ScopeChallengeHandler,
  StandardSchemaWithJSON,
  ToolAnnotations,
  Variables
} from "@modelcontextprotocol/server"

/** What the SDK takes as the schema of a tool or of the arguments of a prompt, for example a zod object. */
export type InputSchema = StandardSchemaWithJSON

/** The members that the configurations of tools and prompts share. */
interface Config {
  readonly title?: string
  readonly description?: string
  readonly icons?: Array<Icon>
  readonly scopeChallenge?: ScopeChallengeHandler
  readonly _meta?: Record<string, unknown>
}

/** The configuration of a tool, as the SDK's `registerTool` takes it. */
export interface ToolConfig<Input extends InputSchema | undefined, Output extends InputSchema> extends Config {
  readonly inputSchema?: Input
  readonly outputSchema?: Output
  readonly annotations?: ToolAnnotations
}

/** The configuration of a prompt, as the SDK's `registerPrompt` takes it. */
export interface PromptConfig<Input extends InputSchema | undefined> extends Config {
  readonly argsSchema?: Input
}

/** The decoded arguments of a tool or a prompt. Without a schema there are none. */
export type InputOf<Input extends InputSchema | undefined> = Input extends InputSchema
  ? StandardSchemaWithJSON.InferOutput<Input>
  : {}

/** The input of a resource's handler: the URI that the client reads, and the values of the template's variables in it. */
export interface ResourceInput {
  readonly uri: URL
  readonly variables: Variables
}
