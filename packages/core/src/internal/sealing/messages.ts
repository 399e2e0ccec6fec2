import type { Rejection } from "./sealer.ts"

/** For the people at the client as well: nothing of the state is in them. */
export const rejectionMessages: Readonly<Record<Rejection, string>> = {
  malformed:
    "The request state is none of this server's: it was cut, changed or made up. Start the call again without it.",
  unknownKey:
    "The request state was sealed with a key that this server does not have: a server was restarted, or the " +
    "key was retired. Start the call again.",
  tampered: "The request state does not fit its seal: it was changed. Start the call again without it.",
  foreign: "The request state belongs to another caller or to another request. Start the call again without it.",
  expired: "The request state has expired. Start the call again.",
  used: "The request state was used before, and is of use only once. Start the call again.",
  missing: "The server does not hold the state of this call any more. Start the call again."
}
