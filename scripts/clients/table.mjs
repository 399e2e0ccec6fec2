// The table of docs/clients.md: pure functions.

const markers = { start: "<!-- clients -->", end: "<!-- /clients -->" }

/** Puts the text between the markers, each of which stands once, on a line of its own. */
export const replaceBetween = (page, text, { end, start } = markers) => {
  const lines = page.split("\n")
  const first = lines.indexOf(start)
  const last = lines.indexOf(end)
  if (first === -1 || last < first || lines.lastIndexOf(start) !== first || lines.lastIndexOf(end) !== last) {
    throw new Error(`the page must have ${start} and after it ${end}, once each and on lines of their own`)
  }
  return [...lines.slice(0, first + 1), "", ...text.trim().split("\n"), "", ...lines.slice(last)].join("\n")
}

const escape = (cell) => cell.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, " ")

/** A table in Markdown. */
const toTable = (head, rows) =>
  [head, head.map(() => "---"), ...rows.map((row) => row.map(escape))]
    .map((cells) => `| ${cells.join(" | ")} |\n`)
    .join("")

const where = ({ adapter, transport }) => `${adapter} over ${transport}`

/** What the runs say, in one cell: a verdict that not all of them share names its runs. */
export const merge = (runs, verdict) => {
  const verdicts = new Map()
  for (const run of runs) {
    const said = verdict(run)
    verdicts.set(said, [...verdicts.get(said) ?? [], run])
  }
  if (verdicts.size === 1) return [...verdicts.keys()][0]
  return Array.from(verdicts, ([said, those]) => `${said} (${those.map(where).join(", ")})`).join("; ")
}

const unless = (problems, said) => problems.length === 0 ? said : `**fails**: ${problems.join("; ")}`

const notOffered = "not offered"

const listed = ({ problems }) => unless(problems, "yes")

const refused = ({ problems, wire }) =>
  unless(problems, wire.codes.includes(-32_021) ? "error -32021, with the sentence" : "`isError`, with the sentence")

const provided = ({ problems }) => unless(problems, "the provider answers")

const answered = (capability, said) => ({ client, era, problems }) =>
  client.offers[era].includes(capability) ? unless(problems, said) : notOffered

const cell = (runs, name, verdict) => {
  const those = runs.filter(({ name: situation }) => situation === name)
  return those.length === 0 ? notOffered : merge(those, verdict)
}

const byRevision = (runs) => Map.groupBy(runs, ({ wire }) => wire.revision ?? "none")

const versions = ({ packages }) =>
  Object.entries(packages).map(([name, version]) => `\`${name}\` ${version}`).join(", ")

const declared = (runs) => {
  const all = new Set(runs.flatMap(({ wire }) => wire.declares))
  return all.size === 0 ? "nothing" : [...all].toSorted((one, other) => one.localeCompare(other)).join(", ")
}

const transports = { stdio: "stdio", http: "HTTP" }

/** The revision, and the transport if only one of them came to it. */
const revisionCell = (revision, runs) => {
  const used = new Set(runs.map(({ transport }) => transport))
  return used.size === 1 ? `${revision}, over ${transports[runs[0].transport]} only` : revision
}

const rowOf = (client, revision, runs) => [
  `${client.title}: ${versions(client)}`,
  revisionCell(revision, runs),
  declared(runs),
  cell(runs, "bare", listed),
  cell(runs, "bare", refused),
  cell(runs, "provider", provided),
  cell(runs, "offering", answered("sampling", "its model answers")),
  cell(runs, "offering", answered("elicitation", "its user answers"))
]

const head = [
  "client",
  "revision",
  "can declare",
  "lists and calls",
  "without sampling",
  "a provider behind it",
  "with sampling",
  "with forms"
]

/** The table of all clients; one that could not be installed has a row that says why. */
export const clientsTable = (results) =>
  toTable(
    head,
    results.flatMap(({ client, reason, runs }) =>
      reason === undefined
        ? Array.from(byRevision(runs), ([revision, those]) => rowOf(client, revision, those)).toSorted((
          [, one],
          [, other]
        ) => one.localeCompare(other))
        : [[`${client.title}: ${versions(client)}`, `not installed: ${reason}`, ...head.slice(2).map(() => "")]]
    )
  )
