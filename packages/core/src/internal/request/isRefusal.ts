/**
 * Returns whether an answer to `sampling/createMessage` says that the user refused. Only the stop reason decides, and it
 * is looked at before anything else is checked: a refusal needs no model and no content.
 */
export const isRefusal = (answer: unknown): answer is { readonly stopReason: string } => {
  if (typeof answer !== "object" || answer === null || !("stopReason" in answer)) return false
  const { stopReason } = answer
  return typeof stopReason === "string" && refusal.test(stopReason.toLowerCase().replaceAll(/[^a-z]/g, ""))
}

const refusal =
  /^(?:(?:by|the)?user)?(?:cancel(?:l?ed)?|declined?|den(?:y|ied)|reject(?:ed)?|refused)(?:by(?:the)?user)?$/
