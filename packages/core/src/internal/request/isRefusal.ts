/**
 * Returns whether an answer to `sampling/createMessage` says that the user refused. Only the stop reason decides, and it
 * is looked at before anything else is checked: a refusal needs no model and no content.
 *
 * GitHub Copilot CLI 1.0.102 answers a refused request with a successful result, in both eras: role `user`, an empty model,
 * stop reason `cancelled`, and a text meant for its user, which may be translated.
 */
export const isRefusal = (answer: unknown): answer is { readonly stopReason: string } => {
  if (typeof answer !== "object" || answer === null || !("stopReason" in answer)) return false
  const { stopReason } = answer
  return typeof stopReason === "string" && !stopReasons.has(stopReason) &&
    refusal.test(stopReason.toLowerCase().replaceAll(/[^a-z]/g, ""))
}

/** The stop reasons that MCP defines. Nearly every answer has one of them, so nothing else is looked at. */
const stopReasons = new Set(["endTurn", "stopSequence", "maxTokens", "toolUse"])

const refusal =
  /^(?:(?:by|the)?user)?(?:cancel(?:l?ed)?|declined?|den(?:y|ied)|reject(?:ed)?|refused)(?:by(?:the)?user)?$/
