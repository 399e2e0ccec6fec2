export * as AskTimeout from "./AskTimeout.ts"
export * as ClientExit from "./ClientExit.ts"
export * as Feature from "./Feature.ts"
export * as Principal from "./Principal.ts"
