// The tests of core as the project `unit` runs them, on a runtime that is not Node. See ../runtimes.mjs.
import { defineConfig } from "vitest/config"
import workspace from "../../vitest.workspace.ts"

const unit = workspace.test.projects.find(({ test }) => test.name === "unit").test

/** Takes the built-in modules of the runtime from core, for as long as the process lives: it runs in one of its own. */
const isolated = ["packages/core/test/RequestStateWeb.test.ts"]

const shared = {
  ...unit,
  // Bun lacks what Vitest does with processes (`child.channel.unref`), Deno what it does with threads
  // (`parentPort.removeAllListeners`).
  pool: process.versions.bun === undefined ? "forks" : "threads",
  setupFiles: [`${import.meta.dirname}/isRuntime.mjs`]
}

export default defineConfig({
  ...workspace,
  root: process.cwd(),
  test: {
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: "core",
          include: ["packages/core/test/**/*.test.ts"],
          exclude: isolated,
          // One process for all files: most of the time would go into loading Effect again.
          isolate: false
        }
      },
      { extends: true, test: { ...shared, name: "isolated", include: isolated } }
    ]
  }
})
