import type { ClientRequest } from "../../ClientConnection.ts"
import type { Branch } from "./Branch.ts"
import { toJson } from "./toJson.ts"

/**
 * The keys that authors gave to the asks of a run. An answer is found by the key alone, so two fibers that are alive at
 * the same time must not use one key for different asks: one could get the answer to the question of the other.
 */
export class Keys {
  private readonly uses = new Map<string, { readonly content: string | undefined; readonly by: Branch }>()

  /** Notes an ask with a key. Returns whether a fiber beside its fiber last used the key, for an ask of other content. */
  isClash(base: string, { method, params }: ClientRequest, by: Branch): boolean {
    const content = toJson([method, params])
    const last = this.uses.get(base)
    if (last !== undefined && last.content !== content && last.by.isBeside(by)) return true
    this.uses.set(base, { content, by })
    return false
  }
}
