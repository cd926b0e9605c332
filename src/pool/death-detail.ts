/** What is known of the end of a child. */
export interface Death {
  readonly code: number | null
  readonly signal: string | null
  /** What it said of it itself. */
  readonly lastWords: string | null
  /** The end of what it wrote to stderr. */
  readonly errorText: string
  readonly ready: boolean
}

const longest = 300

/** Says how a child died, in a line for people. */
export const deathDetail = ({ code, signal, lastWords, errorText, ready }: Death): string => {
  const how =
    signal !== null ? `killed by ${signal}` : code !== null ? `exited with code ${code}` : 'could not be started'
  const lines = errorText.split('\n').flatMap((line) => line.trim() || [])
  const said =
    lines.findLast((line) => /\bfatal\b/i.test(line)) ?? lines.findLast((line) => /error:/i.test(line)) ?? lines.at(-1)
  const more = [lastWords, said?.slice(0, longest)].filter((part) => part && part !== how)
  return [ready ? how : `${how} before it was ready`, ...more].join(': ')
}
