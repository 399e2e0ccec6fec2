/**
 * For adapters: the definitions of prompts, and the decoding of their arguments.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { decodeJsonResult } from "../internal/objects/jsonForm.ts"
import { wellFormed } from "./Text.ts"

/**
 * The arguments of a prompt: a `Schema.Struct` whose encoded fields are strings, as MCP carries them.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromptArguments extends Schema.Constraint {
  readonly fields: Schema.Struct.Fields
  readonly Encoded: { readonly [name: string]: string | undefined }
  readonly DecodingServices: never
}

/**
 * The author's description of a prompt.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromptOptions<Arguments extends PromptArguments> {
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  /**
   * The arguments of the prompt. Default: no arguments.
   */
  readonly arguments?: Arguments | undefined
}

/**
 * The entry of a prompt in the result of `prompts/list`.
 *
 * Source: MCP 2025-11-25, `Prompt`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromptDefinition {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly arguments: Array<{ readonly name: string; readonly required: boolean; readonly description?: string }>
}

/**
 * Builds the definition of a prompt. The description of an argument is the description of its field's schema.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Arguments extends PromptArguments>(options: PromptOptions<Arguments>): PromptDefinition =>
  wellFormed({
    name: options.name,
    ...(options.title !== undefined && { title: options.title }),
    ...(options.description !== undefined && { description: options.description }),
    arguments: Object.entries(options.arguments?.fields ?? {}).map(toArgument)
  })

const toArgument = ([name, { ast }]: readonly [string, Schema.Constraint]) => {
  const description = SchemaAST.resolveDescription(ast)
  return { name, required: !SchemaAST.isOptional(ast), ...(description !== undefined && { description }) }
}

/**
 * Builds the function that decodes the arguments from a client. It fails with the message of a JSON-RPC error (-32602).
 *
 * @category decoding
 * @since 0.1.0
 */
export const decoder = <Arguments extends PromptArguments>(
  options: PromptOptions<Arguments>
): (parameters: unknown) => Result.Result<Arguments["Type"], string> => {
  const schema: PromptArguments = options.arguments ?? Schema.Struct({})
  const decode = decodeJsonResult(schema, { errors: "all" })
  return (parameters) =>
    Result.mapError(
      decode(parameters),
      ({ message }) => `Invalid arguments for the prompt "${options.name}": ${message}`
    )
}
