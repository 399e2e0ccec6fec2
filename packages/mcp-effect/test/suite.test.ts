import { asks } from "@effect-sampling/mcp-suite/asks"
import { clientErrors } from "@effect-sampling/mcp-suite/clientErrors"
import { features } from "@effect-sampling/mcp-suite/features"
import { malformed } from "@effect-sampling/mcp-suite/malformed"
import { requirements } from "@effect-sampling/mcp-suite/requirements"
import { rounds } from "@effect-sampling/mcp-suite/rounds"
import { silence } from "@effect-sampling/mcp-suite/silence"
import { largeMessages } from "@effect-sampling/mcp-suite/sizes"
import { adapter } from "./fixtures/adapter.ts"

features(adapter)
requirements(adapter)
silence(adapter)
asks(adapter)
clientErrors(adapter)

const lost = ["the method repeated in the answer", "an id that is a string"]

malformed(adapter, {
  stdio: {
    // It parses each line, and writes and parses it again: too deep for JSON.stringify.
    lost: [...lost, "arrays a hundred thousand deep"],
    // It takes the error of an answer that has both.
    expected: { "both result and error": "ClientError" }
  },
  HTTP: { lost: [...lost, "no result", "both result and error", "jsonrpc 1.0", "no jsonrpc"] }
})
largeMessages(adapter)
rounds(adapter)
