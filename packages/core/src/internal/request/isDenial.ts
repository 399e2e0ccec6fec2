/**
 * Returns whether the message of a client's error says that a person or a policy refused. Clients say so in words of
 * their own, under any error code.
 *
 * Visual Studio Code answers "The user has denied permission to call this method." (PrefectHQ/fastmcp issue 2162).
 */
export const isDenial = (message: string): boolean => {
  const text = message.replaceAll("’", "'").slice(0, maxLength)
  return denials.some((denial) => denial.test(text))
}

/** A refusal is a short sentence. A longer text, which the client chose, costs no more time. */
const maxLength = 500

const denied = "(?:cancel(?:l?ed|s)?|declin(?:ed?|es)|den(?:y|ied|ies)|reject(?:ed|s)?|refus(?:ed?|es)|" +
  "dismiss(?:ed|es)?|disallow(?:ed|s)?|disapprov(?:ed?|es)|abort(?:ed|s)?|block(?:ed|s)?|forb(?:ade|idden|ids))"
const someone = "(?:(?:end[ -]?)?user|human|person|reviewer|(?:user |client |host |security )?policy)"
const between = "(?:(?:has|had|have|was|is|did|does|chose|decided|explicitly|to|not to|just|already|also|then) )*"
const asked = "(?:(?:the|this|your|sampling|elicitation|roots|createmessage|llm|model|mcp|permission|consent) )*" +
  "(?:request|sampling|elicitation|permission|consent|approval)"

const denials: ReadonlyArray<RegExp> = [
  // The user has denied …, User chose to decline …
  new RegExp(`\\b${someone} ${between}${denied}\\b`, "i"),
  // Declined by user, Sampling request was denied by the user
  new RegExp(`\\b${denied}(?: \\w+){0,4} by (?:the |a |an |its |your )?${someone}\\b`, "i"),
  // The user did not approve …, Not approved by the user
  new RegExp(
    `\\b${someone} (?:did|does|do|has|have|would|will)(?: not|n't) (?:approved?|allow(?:ed)?|accept(?:ed)?|confirm(?:ed)?|consent(?:ed)?|grant(?:ed)?|permit(?:ted)?)\\b`,
    "i"
  ),
  new RegExp(
    `\\bnot (?:approved|allowed|accepted|confirmed|permitted|granted) by (?:the |a |an |its |your )?${someone}\\b`,
    "i"
  ),
  // The whole message: Sampling request rejected, Request was denied, Declined
  new RegExp(`^(?:mcp error -?\\d+: )?(?:${asked} (?:was |has been |is )?)?${denied}[.!]?$`, "i")
]
