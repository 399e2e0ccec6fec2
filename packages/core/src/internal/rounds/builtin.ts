interface Platform {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown }
}

/**
 * A built-in module of Node, Bun or Deno, which does at once what the Web's interfaces do in another thread; undefined
 * elsewhere. Nothing is imported, so this runs on every platform.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says which part of the module it uses
export const builtin = <Module>(name: string): Module | undefined =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller names the part of the module's documented interface that it uses
  (globalThis as Platform).process?.getBuiltinModule?.(name) as Module | undefined
