/**
 * The same messages without any library or check. Nobody would use this server: it shows the cost that would remain if
 * a library cost nothing.
 */
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js"
import process from "node:process"
import type { Peer } from "../Peer.ts"
import { type Message, onLines } from "../wire.ts"
import * as Workload from "../Workload.ts"

const serve = (send: (message: JSONRPCMessage) => void) => {
  let lastId = 0
  const open = new Map<number, (text: string) => void>()
  const ask = (text: string, resume: (text: string) => void): void => {
    const id = ++lastId
    open.set(id, resume)
    send({
      jsonrpc: "2.0",
      id,
      method: "sampling/createMessage",
      params: {
        messages: [{ role: "user", content: { type: "text", text: Workload.toPrompt(text) } }],
        maxTokens: Workload.maxTokens
      }
    })
  }
  return (message: Message): void => {
    switch (message.method) {
      case undefined: {
        const resume = open.get(message.id)
        open.delete(message.id)
        return resume?.(message.result.content.text)
      }
      case "initialize":
        return send({
          jsonrpc: "2.0",
          id: message.id,
          result: {
            protocolVersion: message.params.protocolVersion,
            capabilities: { tools: {} },
            serverInfo: { name: "floor", version: "1.0.0" }
          }
        })
      case "tools/call": {
        const { asks, text } = message.params.arguments
        const next = (asked: number, summary: string): void =>
          asked < asks
            ? ask(text, (reply) => next(asked + 1, reply))
            : send({ jsonrpc: "2.0", id: message.id, result: { content: [{ type: "text", text: summary }] } })
        return next(0, Workload.resultText(0))
      }
    }
  }
}

const peer: Peer = {
  serveStdio: () => {
    onLines(process.stdin, serve((message) => process.stdout.write(`${JSON.stringify(message)}\n`)))
    return Promise.resolve()
  },
  serveMemory: (transport: Transport) => {
    const receive = serve((message) => void transport.send(message))
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see Message
    transport.onmessage = (message) => receive(message as unknown as Message)
    return transport.start()
  }
}

export default peer
