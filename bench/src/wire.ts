import type { Readable } from "node:stream"
import { StringDecoder } from "node:string_decoder"
import type { ToolArguments } from "./Workload.ts"

interface Text {
  readonly text: string
}

/** The parts of a JSON-RPC message that the driver and the floor read. Both ends are ours, so nothing is validated. */
export interface Message {
  readonly id: number
  readonly method?: string
  readonly params: { readonly arguments: ToolArguments; readonly protocolVersion: string }
  readonly result: {
    readonly isError?: boolean
    readonly content: Text & { readonly [index: number]: Text }
    readonly resultType?: string
    readonly inputRequests: Readonly<Record<string, unknown>>
    readonly requestState?: string
  }
}

/** Calls `onMessage` with each line of a stream, parsed as JSON. */
export const onLines = (stream: Readable, onMessage: (message: Message) => void): void => {
  const decoder = new StringDecoder("utf8")
  let rest = ""
  stream.on("data", (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) onMessage(JSON.parse(line))
  })
}
