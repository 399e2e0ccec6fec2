export * as ClientExit from "./ClientExit.ts"
export * as Feature from "./Feature.ts"
