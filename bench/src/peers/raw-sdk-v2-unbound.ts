/**
 * The handwritten state machine with an unbound state, which anybody who obtains it may use for any request.
 */
import { stateMachine } from "../stateMachine.ts"

export default stateMachine({})
