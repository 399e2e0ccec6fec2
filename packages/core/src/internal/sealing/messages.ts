import type { Rejection } from "./models.ts"

/** The texts for rejected states. The client may see them, so they reveal nothing about the state. */
export const rejectionMessages: Readonly<Record<Rejection, string>> = {
  malformed:
    "The request state is not one that this server made: it was truncated, changed or made up. Start the call again " +
    "without it.",
  unknownKey:
    "The request state was sealed with a key that this server does not have: a server was restarted, or the " +
    "key was retired. Start the call again without it.",
  tampered: "The request state does not match its seal: it was changed. Start the call again without it.",
  foreign: "The request state belongs to another caller or to another request. Start the call again without it.",
  expired: "The request state has expired. Start the call again without it.",
  future: "The request state is from the future: the clock of a server was set back. Start the call again without it.",
  used: "The request state was used before, and it can be used only once. Start the call again without it.",
  missing: "The server no longer holds the state of this call. Start the call again without it."
}
