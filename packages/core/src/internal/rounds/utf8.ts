interface Platform {
  readonly TextEncoder: new() => { readonly encode: (text: string) => Uint8Array }
  readonly TextDecoder: new() => { readonly decode: (bytes: Uint8Array) => string }
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the Encoding Standard: every platform has it
const platform = globalThis as unknown as Platform

const encoder = new platform.TextEncoder()
const decoder = new platform.TextDecoder()

export const toUtf8 = (text: string): Uint8Array => encoder.encode(text)

export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes)
