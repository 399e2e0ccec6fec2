import { maxDepth } from "../request/nesting.ts"

/** A value, and the position after it. */
export interface Read {
  readonly _tag: "Read"
  readonly value: unknown
  readonly end: number
}

/**
 * The position at which a text stops being JSON, and what was expected there. `isCut` means that the text ends before
 * the value does.
 */
export interface Broken {
  readonly _tag: "Broken"
  readonly at: number
  readonly expected: string
  readonly isCut: boolean
}

/** What a method returns after it has noted in `expected` what is wrong. */
const broken = Symbol()

/**
 * Reads objects and lists of a text. In addition to JSON it takes what models write and what can only mean one thing:
 * comments, a comma after the last member, single and typographic quotes, names without quotes, raw line breaks in
 * strings, and Python's `True`, `False` and `None`.
 *
 * A read looks at each character once, and at nothing nested more than 256 levels deep.
 */
export class LenientJson {
  private index = 0
  private expected = ""
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** Reads the object or list that starts at a position. */
  read(start: number): Read | Broken {
    this.index = start
    const value = this.value(0)
    return value === broken
      ? { _tag: "Broken", at: this.index, expected: this.expected, isCut: this.index >= this.text.length }
      : { _tag: "Read", value, end: this.index }
  }

  private value(depth: number): unknown {
    const character = this.text[this.index]
    if (character === "{") return this.object(depth + 1)
    if (character === "[") return this.list(depth + 1)
    if (closing(character) !== undefined) return this.string()
    return this.scalar()
  }

  private object(depth: number): unknown {
    if (depth > maxDepth) return this.fail(`at most ${maxDepth} levels of nesting`)
    const entries: Array<readonly [string, unknown]> = []
    this.index++
    while (this.skip()) {
      if (this.take("}")) return Object.fromEntries(entries)
      const name = this.name()
      if (typeof name !== "string" || !this.skip()) return broken
      if (!this.take(":")) return this.fail("a colon after the name")
      const value = this.skip() ? this.value(depth) : broken
      if (value === broken || !this.skip()) return broken
      entries.push([name, value])
      if (!this.take(",") && this.text[this.index] !== "}") return this.fail("a comma or }")
    }
    return broken
  }

  private list(depth: number): unknown {
    if (depth > maxDepth) return this.fail(`at most ${maxDepth} levels of nesting`)
    const items: Array<unknown> = []
    this.index++
    while (this.skip()) {
      if (this.take("]")) return items
      const value = this.value(depth)
      if (value === broken || !this.skip()) return broken
      items.push(value)
      if (!this.take(",") && this.text[this.index] !== "]") return this.fail("a comma or ]")
    }
    return broken
  }

  private name(): unknown {
    if (closing(this.text[this.index]) !== undefined) return this.string()
    const name = this.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/uy)
    return name ?? this.fail("a name in quotes")
  }

  private string(): unknown {
    const quote = closing(this.text[this.index])!
    let read = ""
    let start = ++this.index
    for (; this.index < this.text.length; this.index++) {
      const character = this.text[this.index]
      if (character === quote) return read + this.text.slice(start, this.index++)
      if (character !== "\\") continue
      read += this.text.slice(start, this.index++)
      const escaped = this.escape()
      if (escaped === undefined) return this.fail("an escape sequence of JSON")
      read += escaped
      start = this.index + 1
    }
    return this.fail(`the closing ${quote}`)
  }

  /** Reads what follows a backslash, and stops at its last character. */
  private escape(): string | undefined {
    const character = this.text[this.index] ?? ""
    if (character !== "u") return escapes.get(character)
    const code = /^[\da-fA-F]{4}$/.exec(this.text.slice(this.index + 1, this.index + 5))
    if (code === null) return undefined
    this.index += 4
    return String.fromCharCode(Number.parseInt(code[0], 16))
  }

  private scalar(): unknown {
    const word = this.match(/[a-zA-Z]+/y)
    if (word !== undefined) {
      if (words.has(word)) return words.get(word)
      this.index -= word.length
      return this.fail("a value")
    }
    const number = this.match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y)
    return number === undefined ? this.fail("a value") : Number(number)
  }

  /** Skips space and comments. Returns false, with `expected` set, if the text ends there. */
  private skip(): boolean {
    while (this.match(/\s+|\/\/[^\n\r]*|\/\*/y) !== undefined) {
      if (!this.text.startsWith("/*", this.index - 2)) continue
      const end = this.text.indexOf("*/", this.index)
      this.index = end === -1 ? this.text.length : end + 2
    }
    if (this.index < this.text.length) return true
    this.expected = "more, because the value is not complete"
    return false
  }

  private take(character: string): boolean {
    const found = this.text[this.index] === character
    if (found) this.index++
    return found
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.index
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.index += found.length
    return found
  }

  private fail(expected: string): typeof broken {
    this.expected = expected
    return broken
  }
}

const closing = (opening: string | undefined): string | undefined =>
  opening === "\"" || opening === "'" ? opening : opening === "“" ? "”" : undefined

const escapes: ReadonlyMap<string, string> = new Map([
  ["\"", "\""],
  ["'", "'"],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"]
])

const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["True", true],
  ["False", false],
  ["None", null]
])
