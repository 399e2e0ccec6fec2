/** JSON-RPC 2.0, "Error object". */
export const parseError = -32_700
export const invalidRequest = -32_600
export const methodNotFound = -32_601
export const invalidParams = -32_602
export const internalError = -32_603

/** MCP 2026-07-28, "Error Codes": the client did not declare a capability that the request needs. */
export const missingClientCapability = -32_021
