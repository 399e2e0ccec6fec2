import * as Fs from "node:fs"
import * as Path from "node:path"

/** A package whose index is still `export {}` uses none of its dependencies yet. */
const placeholders = Fs.globSync("packages/*/src/index.ts")
  .filter((file) => Fs.readFileSync(file, "utf8").trim() === "export {}")
  .map((file) => Path.dirname(Path.dirname(file)))

const tests = ["test/**/*.test.ts", "typetest/**/*.tst.ts"]

export default {
  ignoreWorkspaces: placeholders,
  workspaces: {
    ".": {
      entry: ["scripts/*.mjs", "scripts/runtimes/*.mjs", "scripts/clients/{recorder,server}.mjs"],
      // The drivers of clients are copied to where their clients are installed.
      project: ["scripts/**/*.mjs", "!scripts/clients/drivers/**"],
      ignoreDependencies: [
        // Called by name, or used by the tests of the documentation.
        "@arethetypeswrong/cli",
        "@changesets/*",
        "@dprint/*",
        "@effect/language-service",
        "@modelcontextprotocol/client",
        "@modelcontextprotocol/conformance",
        "@modelcontextprotocol/sdk",
        "bun",
        "deno",
        "publint",
        "tstyche",
        // For the tests, examples and documentation of every package.
        "@effect/platform-node",
        "@effect/vitest",
        "effect"
      ]
    },
    "scripts/typetest": { entry: ["run.mjs"] },
    "packages/*": {
      // Fixtures that tests start as processes of their own.
      entry: ["src/*.ts", "test/fixtures/stdio*.ts", ...tests],
      project: ["{src,test,typetest}/**/*.ts"]
    },
    "{examples,fixtures}/*": {
      entry: ["src/*.ts", ...tests],
      project: ["**/*.ts"]
    },
    bench: {
      entry: ["src/*.ts", "src/peers/*.ts", ...tests],
      project: ["**/*.ts"]
    }
  }
}
