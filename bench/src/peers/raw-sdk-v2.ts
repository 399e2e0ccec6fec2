/**
 * The handwritten state machine with a state that is bound to its caller and method, as MCP 2026-07-28 requires and the
 * documentation of `createRequestStateCodec` shows.
 */
import { stateMachine } from "../stateMachine.ts"

export default stateMachine({ bind: ({ http, mcpReq }) => `${mcpReq.method}\0${http?.authInfo?.clientId ?? ""}` })
