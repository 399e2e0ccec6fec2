/**
 * The state machine by hand, with a state that belongs to its caller and method, as MCP 2026-07-28 asks for and the
 * documentation of `createRequestStateCodec` shows.
 */
import { stateMachine } from "../stateMachine.ts"

export default stateMachine({ bind: ({ http, mcpReq }) => `${mcpReq.method}\0${http?.authInfo?.clientId ?? ""}` })
