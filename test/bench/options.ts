import { parseArgs } from 'node:util'

/** What `npm run bench` was asked for. */
export interface BenchOptions {
  /** The works by their ids; null for all. */
  readonly only: readonly string[] | null
  readonly rounds: number
  readonly quick: boolean
  readonly huge: boolean
  readonly peers: boolean
  readonly json: boolean
}

/** How to use the bench. */
export const usage = `npm run bench -- [--only W1,W4] [--rounds 3] [--quick] [--huge] [--peers] [--json]
  --only    these works only
  --rounds  how often each is measured; the table shows medians
  --quick   small sizes: does everything work?
  --huge    10,000,000 waiting jobs and 1,000 queues as well (W8)
  --peers   other job queues beside jobq, installed in a temporary folder (W1, W2)
  --json    the table as JSON
Set TMPDIR to measure on another disk.`

/**
 * Reads the command line.
 * @throws Error naming what is wrong
 */
export const readOptions = (parameters: readonly string[], known: readonly string[]): BenchOptions => {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      quick: { type: 'boolean', default: false },
      huge: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new Error(`--rounds: ${values.rounds} is not a number of rounds`)
  const only = values.only?.split(',').map((id) => id.trim().toUpperCase()) ?? null
  const unknown = only?.find((id) => !known.includes(id))
  if (unknown !== undefined) throw new Error(`--only: ${unknown} is not one of ${known.join(', ')}`)
  return { ...values, only, rounds }
}
