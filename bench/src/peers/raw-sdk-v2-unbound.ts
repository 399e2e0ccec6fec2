/**
 * The state machine by hand, with a state that whoever gets hold of it may use for any request.
 */
import { stateMachine } from "../stateMachine.ts"

export default stateMachine({})
