import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Buffer } from "node:buffer"
import { LineReader } from "../src/internal/stdio/LineReader.ts"

const read = (maxBytes: number, chunks: ReadonlyArray<Buffer>) => {
  const lines: Array<string> = []
  const long: Array<{ readonly head: string; readonly tail: string }> = []
  const reader = new LineReader(maxBytes, (line) => lines.push(line), (head, tail) => long.push({ head, tail }))
  for (const chunk of chunks) reader.push(chunk)
  return { lines, long }
}

describe("LineReader", () => {
  it("the lines are the same wherever the stream is split into chunks", () => {
    const bytes = Buffer.from("{\"a\":1}\n\r\näöü 🎉 日本\r\n\n" + "x".repeat(40) + "\nlast\nunfinished")
    const whole = read(1000, [bytes]).lines
    assert.deepStrictEqual(whole, ["{\"a\":1}", "", "äöü 🎉 日本", "", "x".repeat(40), "last"])
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second += 7) {
        const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
        assert.deepStrictEqual(read(1000, chunks).lines, whole)
      }
    }
    assert.deepStrictEqual(read(1000, Array.from(bytes, (byte) => Buffer.of(byte))).lines, whole)
  })

  it.effect.prop(
    "lines of arbitrary text are joined from chunks, and lines over the limit are reported",
    [Schema.Array(Schema.String), Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))],
    ([texts, size]) =>
      Effect.sync(() => {
        const limit = 16
        const wanted = texts.map((text) => text.replaceAll(/[\r\n]/g, "").toWellFormed())
        const bytes = Buffer.from(wanted.map((line) => `${line}\n`).join(""))
        const chunks: Array<Buffer> = []
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
        const { lines, long } = read(limit, chunks)
        const fits = (line: string) => Buffer.byteLength(line) <= limit
        assert.deepStrictEqual(lines, wanted.filter(fits))
        assert.strictEqual(long.length, wanted.filter((line) => !fits(line)).length)
      })
  )

  it("a line over the limit is reported by its first and last bytes, and reading continues", () => {
    const line = `start${"x".repeat(5000)}end`
    const { lines, long } = read(100, [Buffer.from(`before\n${line}\nafter\n`)])
    assert.deepStrictEqual(lines, ["before", "after"])
    assert.isTrue(long[0]!.head.startsWith("start"))
    assert.isTrue(long[0]!.tail.endsWith("end"))
    assert.isAtMost(long[0]!.head.length, 512)
    assert.isAtMost(long[0]!.tail.length, 512)
  })

  it("a line that never ends is held only in part", () => {
    const reader = new LineReader(1_000_000, () => assert.fail("no line ended"), () => assert.fail("no line ended"))
    const chunk = Buffer.alloc(65_536, "x")
    for (let i = 0; i < 3200; i++) reader.push(chunk)
    const held = ["head", "tail"].map((name): unknown => Reflect.get(reader, name))
    for (const buffer of held) {
      assert.instanceOf(buffer, Uint8Array)
      // A view would keep the whole chunk in memory.
      assert.isAtMost(buffer.buffer.byteLength, 512)
    }
    assert.deepStrictEqual(Reflect.get(reader, "chunks"), [])
  })

  it("invalid UTF-8 is replaced, including a character that the end of a line cuts", () => {
    const { lines } = read(100, [Buffer.of(0x61, 0xff, 0x62, 10, 0xe2, 0x82, 10, 0x63, 10)])
    assert.deepStrictEqual(lines, ["a\ufffdb", "\ufffd", "c"])
  })

  // In quadratic time this would take minutes, and the test would time out.
  it("ten megabytes in small chunks are read in linear time", () => {
    const chunk = Buffer.alloc(64, "x")
    const chunks = [...Array.from({ length: 163_840 }, () => chunk), Buffer.from("\n")]
    const { lines } = read(11_000_000, chunks)
    assert.strictEqual(lines[0]!.length, 10_485_760)
  })
})
