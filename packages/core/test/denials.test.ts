import { assert, describe, it } from "@effect/vitest"
import { isDenial } from "../src/internal/request/isDenial.ts"

const refusals = [
  "User rejected sampling request",
  "The user has denied permission to call this method.",
  "MCP error -32603: The user has declined the request",
  "declined by user",
  "denied by user",
  "Denied by the user.",
  "Sampling request was declined by user",
  "Sampling denied by user policy",
  "Request rejected by a human reviewer",
  "rejected by client policy",
  "User cancelled",
  "Sampling canceled by the user",
  "user refused",
  "The user chose to decline.",
  "User explicitly rejected this request",
  "The user did not approve the sampling request",
  "User didn’t allow this",
  "Not approved by user",
  "Sampling request rejected",
  "Request was denied",
  "Sampling request has been declined.",
  "Permission denied by the user",
  "Declined"
]

const failures = [
  "boom",
  "Internal error",
  "Method not found",
  "Request timed out",
  "Connection refused",
  "connect ECONNREFUSED 127.0.0.1:11434",
  "The provider rejected the API key",
  "Request cancelled because the server is shutting down",
  "The user's API key was rejected by OpenAI",
  "Sampling with images is not supported",
  "The model refused to load",
  "The quota of the user is exhausted",
  "EACCES: permission denied, open 'notes.txt'",
  "Content blocked by the provider",
  ""
]

describe("isDenial", () => {
  it.each(refusals)("a refusal in other words is a rejection: %s", (message) => {
    assert.isTrue(isDenial(message))
    assert.isTrue(isDenial(message.toUpperCase()))
  })

  it.each(failures)("a failure is no rejection: %s", (message) => {
    assert.isFalse(isDenial(message))
  })

  // In quadratic time, each text would take minutes, and the test would time out.
  it.each(["user ", "has ", "the request ", "denied ", "denied a "])(
    "a long message of “%s” is read in linear time",
    (text) => {
      assert.isBoolean(isDenial(text.repeat(200_000)))
    }
  )
})
