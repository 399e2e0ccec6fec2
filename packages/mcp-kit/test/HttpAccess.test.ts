import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as HttpAccess from "../src/internal/http/HttpAccess.ts"

const access = (allowedHosts: ReadonlyArray<string>, allowedOrigins: ReadonlyArray<string> = []) =>
  Result.getOrThrow(HttpAccess.make({ allowedHosts, allowedOrigins }))

const status = (
  allowed: HttpAccess.HttpAccess,
  host: string,
  origin?: string
): number => HttpAccess.refusal({ host, origin }, allowed)?.status ?? 200

describe("The access to an HTTP server", () => {
  it("a host is allowed in every spelling of its name, with any port", () => {
    for (const allowed of ["app.example", "APP.Example", "app.example."]) {
      for (const host of ["app.example", "App.Example", "app.example.", "app.example:8080", "APP.EXAMPLE.:443"]) {
        assert.strictEqual(status(access([allowed]), host), 200, `${allowed} ${host}`)
      }
    }
    assert.strictEqual(status(access(["bücher.example"]), "xn--bcher-kva.example"), 200)
    assert.strictEqual(status(access(["[::1]"]), "[0:0:0:0:0:0:0:1]:3000"), 200)
  })

  it("a host that is allowed with a port is allowed with that port only", () => {
    const allowed = access(["App.example:8080"])
    assert.strictEqual(status(allowed, "app.example:8080"), 200)
    for (const host of ["app.example", "app.example:80", "app.example:80800"]) {
      assert.strictEqual(status(allowed, host), 403, host)
    }
  })

  it("other hosts are refused with 403, and what is no host with 400", () => {
    const allowed = access(["127.0.0.1", "localhost"])
    for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::1]"]) {
      assert.strictEqual(status(allowed, host), 403, host)
    }
    for (
      const host of [
        "",
        "a@127.0.0.1",
        "127.0.0.1@evil.example",
        "127.0.0.1/x",
        "127.0.0.1#x",
        "127.0.0.1:x",
        "%",
        "a b"
      ]
    ) {
      assert.strictEqual(status(allowed, host), 400, host)
    }
    assert.strictEqual(HttpAccess.refusal({}, allowed)?.status, 400)
  })

  it("an origin is allowed in every spelling", () => {
    for (
      const allowed of [
        "https://app.example",
        "HTTPS://App.Example/",
        "https://app.example:443",
        "https://app.example."
      ]
    ) {
      const own = access(["api.example"], [allowed])
      assert.strictEqual(status(own, "api.example", "https://app.example"), 200, allowed)
      for (const origin of ["http://app.example", "https://app.example:8443", "https://app.example.evil.com", "null"]) {
        assert.strictEqual(status(own, "api.example", origin), 403, origin)
      }
    }
  })

  it("the own origin of a server is allowed, and needs no option", () => {
    assert.strictEqual(status(access(["localhost"]), "LocalHost:3000", "http://localhost:3000"), 200)
    assert.strictEqual(status(access(["localhost"]), "localhost:3000", "http://localhost:3001"), 403)
  })

  it("an option that no request can match is refused, with its name and its value", () => {
    for (const host of ["", "https://app.example", "app.example/mcp", "a b", "user@app.example"]) {
      const made = HttpAccess.make({ allowedHosts: ["localhost", host], allowedOrigins: [] })
      assert.include(Result.isFailure(made) ? made.failure : "", `allowedHosts: ${JSON.stringify(host)} is not a valid`)
    }
    for (const origin of ["*", "null", "app.example", "https://app.example/path", "https://a@app.example", ""]) {
      const made = HttpAccess.make({ allowedHosts: [], allowedOrigins: [origin] })
      assert.include(
        Result.isFailure(made) ? made.failure : "",
        `allowedOrigins: ${JSON.stringify(origin)} is not a valid`
      )
    }
  })
})
