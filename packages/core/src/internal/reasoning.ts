import type { Content } from "../Content.ts"
import { blocks, text as textOf } from "../Content.ts"
import type { SamplingRequest } from "../SamplingRequest.ts"
import { parseJson } from "./objects/parseJson.ts"

/**
 * Removes the reasoning that models write into their replies, because it is no part of the answer: blocks such as
 * `<think>…</think>`, and everything before a closing mark whose opening mark is in the prompt template of the model. A
 * block that begins a reply and never ends is reasoning up to the end.
 *
 * A mark in quotes or backticks is text about marks, and so is one in a reply that is JSON as a whole. Marks other than
 * `think` belong to the author if the request mentions them: some prompts ask for `<reasoning>` and read it.
 */
export const withoutReasoning = (
  request: SamplingRequest,
  content: Content | ReadonlyArray<Content>
): Content | ReadonlyArray<Content> => {
  const all = blocks(content)
  // Providers split one text into several blocks at arbitrary positions, also within a mark.
  const text = textOf(all)
  const found = marksIn(text)
  if (found.length === 0) return content
  const marks = found.filter(({ name }) => name === "think" || !mentions(request, name))
  if (marks.length === 0 || parseJson(text) !== undefined) return content
  const kept = cut(all, rangesOf(text, marks))
  return kept.length === 1 && "type" in content ? kept[0]! : kept
}

interface Mark {
  readonly start: number
  readonly end: number
  readonly name: string
  readonly closes: boolean
}

const mark = new RegExp(
  [
    "<(?<xml>/?)(?<tag>think|thinking|thoughts?|reasoning|seed:think)>",
    "\\[(?<brackets>/?)THINK\\]",
    "◁(?<triangles>/?)think▷",
    "<\\|(?<edge>begin|end)_of_thought\\|>"
  ].join("|"),
  "gi"
)

const marksIn = (text: string): ReadonlyArray<Mark> => mayHoldMark.test(text) ? findMarks(text) : noMarks

/** Matches any character that can start a mark. Most replies hold none, and no iterator is made for them. */
const mayHoldMark = /[<[◁]/

const noMarks: ReadonlyArray<Mark> = []

const findMarks = (text: string): ReadonlyArray<Mark> =>
  Array.from(text.matchAll(mark), ({ 0: found, groups = {}, index: start }) => ({
    start,
    end: start + found.length,
    name: groups["tag"]?.toLowerCase() ?? "think",
    closes: groups["edge"]?.toLowerCase() === "end" ||
      [groups["xml"], groups["brackets"], groups["triangles"]].includes("/")
  })).filter(({ end, start }) => !isQuoted(text, start, end))

const isQuoted = (text: string, start: number, end: number): boolean =>
  start > 0 && text[start - 1] === text[end] && "\"'`".includes(text[end] ?? " ")

const mentions = ({ messages, systemPrompt = "" }: SamplingRequest, name: string): boolean => {
  const opening = `<${name}>`
  return systemPrompt.toLowerCase().includes(opening) ||
    messages.some(({ content }) => textOf(content).toLowerCase().includes(opening))
}

/** The parts of a text that are reasoning, in order. */
type Ranges = ReadonlyArray<readonly [start: number, end: number]>

const rangesOf = (text: string, marks: ReadonlyArray<Mark>): Ranges => {
  const ranges: Array<readonly [number, number]> = []
  const lastEnd = text.trimEnd().length
  let open: number | undefined
  let end = 0
  let isAnswered = false
  const push = (start: number, newEnd: number) => {
    isAnswered ||= text.slice(end, start).trim() !== ""
    ranges.push([start, newEnd])
    end = newEnd
  }
  for (const found of marks) {
    if (!found.closes) open ??= found.start
    else {
      // A second closing mark at the very end closes nothing.
      const isStray = open === undefined && ranges.length > 0 && found.end >= lastEnd
      push(open ?? (isStray ? found.start : end), found.end + spaceAfter(text, found.end))
      open = undefined
    }
  }
  // Only a reply that begins with reasoning can end within it.
  if (open !== undefined && !isAnswered && text.slice(end, open).trim() === "") push(open, text.length)
  return ranges
}

const spaceAfter = (text: string, index: number): number => {
  const rest = /\s*/y
  rest.lastIndex = index
  return rest.exec(text)?.[0].length ?? 0
}

/** Cuts ranges of the joined text out of the blocks, and drops the blocks that lose all of their text. */
const cut = (all: ReadonlyArray<Content>, ranges: Ranges): ReadonlyArray<Content> => {
  const kept: Array<Content> = []
  let next = 0
  let offset = 0
  for (const block of all) {
    if (block.type !== "text") {
      kept.push(block)
      continue
    }
    const start = offset
    offset += block.text.length
    let text = ""
    let end = start
    // A range that ends after this block is looked at again in the next one.
    for (; next < ranges.length && ranges[next]![0] < offset; next++) {
      const [from, to] = ranges[next]!
      text += block.text.slice(end - start, Math.max(end, from) - start)
      end = Math.max(end, to)
      if (to > offset) break
    }
    text += block.text.slice(end - start)
    if (text === block.text) kept.push(block)
    else if (text.trim() !== "") kept.push({ ...block, text })
  }
  return kept
}
