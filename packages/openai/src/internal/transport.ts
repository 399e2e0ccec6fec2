import * as Data from "effect/Data"

/** The body of an answer is larger than the limit. */
export class ReplyTooLarge extends Data.TaggedError("@effect-sampling/openai/internal/transport/ReplyTooLarge") {}

/**
 * Sends a request as `fetch` does, with two limits.
 *
 * - A redirect is followed only within the origin, and only with its method and body (307 and 308). The caller gets any
 *   other redirect as the answer, because the prompt must not reach a server that nobody has chosen.
 * - The decoded body of the answer fails with a {@link ReplyTooLarge} beyond `maxBytes`, which closes the connection.
 */
export const limitedFetch = (url: string, init: RequestInit, maxBytes: number): Promise<Response> =>
  follow(url, init, 5).then((response) => limited(response, maxBytes))

const follow = (url: string, init: RequestInit, redirects: number): Promise<Response> =>
  globalThis.fetch(url, { ...init, redirect: "manual" }).then((response) => {
    const target = redirects > 0 && (response.status === 307 || response.status === 308)
      ? URL.parse(response.headers.get("location") ?? "", url)
      : null
    if (target === null || target.origin !== new URL(url).origin) return response
    const next = () => follow(target.href, init, redirects - 1)
    return response.body === null ? next() : response.body.cancel().then(next, next)
  })

const limited = (response: Response, maxBytes: number): Response => {
  if (response.body === null) return response
  let bytes = 0
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        bytes += chunk.byteLength
        if (bytes > maxBytes) controller.error(new ReplyTooLarge())
        else controller.enqueue(chunk)
      }
    })
  )
  return new Response(body, response)
}
