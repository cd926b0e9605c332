/**
 * How commands go to a child: each as a line of JSON, and behind that of `run` a line for each job with its payload as it
 * is stored, because most of what goes through here are payloads and neither side has to look into them.
 */
import type { JobBatch, SentBatch } from './job-batch.ts'
import { LineSplitter } from './lines.ts'
import type { Command } from './protocol.ts'

/** Numbers of which most columns are: those from one on, the same one again and again, or any. */
type Column = { readonly from: number } | { readonly all: number } | readonly number[]

interface WireBatch extends Pick<JobBatch, 'seq' | 'head'> {
  readonly count: number
  readonly ids: Column
  readonly createdAt: Column
  /** Its texts are JSON of what they stand for: one of them has lines itself. */
  readonly quoted?: true
}

type WireCommand = Exclude<Command, { type: 'run' }> | { readonly type: 'run'; readonly jobs: readonly WireBatch[] }

/** A command as it goes through the pipe. */
export const encodeCommand = (command: Command<SentBatch>): Buffer => {
  if (command.type !== 'run') return Buffer.from(`${JSON.stringify(command)}\n`)
  const lines: string[] = []
  const jobs = command.jobs.map(({ seq, head, ids, createdAt, texts }): WireBatch => {
    const quoted = typeof texts !== 'string' && texts.some((text) => text.includes('\n'))
    if (typeof texts === 'string') lines.push(texts)
    else lines.push(...(quoted ? texts.map((text) => JSON.stringify(text)) : texts))
    const columns = { count: ids.length, ids: toColumn(ids), createdAt: toColumn(createdAt) }
    return quoted ? { seq, head, ...columns, quoted } : { seq, head, ...columns }
  })
  const wire: WireCommand = { type: 'run', jobs }
  return Buffer.from([JSON.stringify(wire), ...lines, ''].join('\n'))
}

/** A command `run` whose texts have not all come. */
interface PartOfRun {
  readonly jobs: readonly WireBatch[]
  readonly texts: (readonly string[])[]
  /** So many texts are still to come. */
  missing: number
}

/** Puts commands together from the pieces in which they arrive. */
export class CommandReader {
  readonly #splitter = new LineSplitter()
  #run: PartOfRun | null = null

  /** The commands that are complete with this piece. */
  push(data: Buffer): Command[] {
    const commands: Command[] = []
    const lines = this.#splitter.push(data)
    for (let from = 0; from < lines.length; ) {
      if (this.#run === null) {
        const command = JSON.parse(lines[from] as string) as WireCommand
        from += 1
        if (command.type === 'run') this.#run = partOf(command.jobs)
        else commands.push(command)
      } else {
        // Nearly all that comes are texts, so they are not looked at one by one.
        const texts = lines.slice(from, from + this.#run.missing)
        from += texts.length
        this.#run.texts.push(texts)
        this.#run.missing -= texts.length
      }
      if (this.#run?.missing === 0) {
        commands.push(wholeOf(this.#run))
        this.#run = null
      }
    }
    return commands
  }
}

const partOf = (jobs: readonly WireBatch[]): PartOfRun => ({
  jobs,
  texts: [],
  missing: jobs.reduce((sum, { count }) => sum + count, 0),
})

const wholeOf = ({ jobs, texts }: PartOfRun): Command => {
  const all = texts.flat()
  let from = 0
  const batches = jobs.map(({ seq, head, quoted = false, ...columns }): JobBatch => {
    const own = all.slice(from, from + columns.count)
    from += columns.count
    return {
      seq,
      head,
      ids: fromColumn(columns.ids, columns.count),
      createdAt: fromColumn(columns.createdAt, columns.count),
      texts: quoted ? own.map((text) => String(JSON.parse(text))) : own,
    }
  })
  return { type: 'run', jobs: batches }
}

const toColumn = (numbers: readonly number[]): Column => {
  const [first = 0] = numbers
  if (numbers.every((number) => number === first)) return { all: first }
  return numbers.every((number, place) => number === first + place) ? { from: first } : numbers
}

const fromColumn = (column: Column, count: number): readonly number[] => {
  if ('all' in column) return Array<number>(count).fill(column.all)
  if ('from' in column) return Array.from({ length: count }, (_, place) => column.from + place)
  return column
}
