/**
 * `jobq logs`: what a job has written, both streams in their order. Terminal escapes are made visible unless `--raw` asks
 * for the very bytes. A follower ends with the job; a job that is retried is followed from attempt to attempt.
 */
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { JobqError } from '../../src/errors.ts'
import { isFinished, type Job } from '../../src/job.ts'
import {
  followOutput,
  type OutputChunk,
  type OutputSelection,
  outputAttempts,
  readOutput,
} from '../../src/output/output-reader.ts'
import { outputFolder } from '../broker-file.ts'
import { foundJob } from '../found-job.ts'
import { explain } from '../help.ts'
import { argument, jobId, option, wholeNumber } from '../options.ts'
import type { Output } from '../output.ts'
import { watchReader } from '../reader.ts'
import { type Queue, withQueue } from '../session.ts'
import { visibleLines } from '../visible.ts'

const pollMs = 100

interface Options {
  readonly follow?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly attempt?: number
  readonly raw?: boolean
  readonly lines?: number
}

/** Adds `jobq logs`. */
export const register = (program: Command): void => {
  const command = program
    .command('logs')
    .addArgument(argument('<id>', "the job's id", jobId))
    .description('print the output of a job')
    .option('-f, --follow', 'go on until the job has finished')
    .option('--stdout', 'only what it wrote to stdout')
    .option('--stderr', 'only what it wrote to stderr')
    .addOption(option('--attempt <n>', 'of this attempt instead of the last', wholeNumber(1)))
    .addOption(option('-n, --lines <n>', 'only the last n lines', wholeNumber(0)))
    .option('--raw', 'the bytes as they are, terminal escapes included')
    .action((id: number, options: Options, command: Command) =>
      withQueue(command, async (queue, { output, broker }) => {
        const job = await foundJob(queue, id)
        const selection = selectionOf(options)
        const folder = outputFolder(broker.value)
        checkAttempt(job, folder, options)
        const there = readOutput(folder, id, selection)
        const skip = options.lines === undefined ? 0 : Math.max(0, countLines(there) - options.lines)
        if (options.follow === true)
          await follow(queue, id, { folder, selection, write: writer(output, options, skip) })
        else if (output.json) document(job, there, { output, options, skip })
        else {
          const write = writer(output, options, skip)
          for (const chunk of there) write(chunk)
          if (there.length === 0 && !isFinished(job.state))
            output.message(`Job ${id} is ${job.state}; nothing is written yet.`)
        }
      }),
    )
  explain(
    command,
    [
      ['jobq logs 41', 'what its last attempt wrote'],
      ['jobq logs -f 41', 'as it comes, until the job has finished'],
      ['jobq logs 41 --attempt 1 --stderr', 'what its first attempt wrote to stderr'],
      ['jobq logs 41 --raw --stdout > image.png', 'byte for byte'],
    ],
    `Of very long output the beginning and the end are kept, and the cut is told in its place. With --json: one document, or
one line a piece with --follow.`,
  )
}

const selectionOf = ({ attempt, stdout, stderr }: Options): OutputSelection => {
  const one = stdout === stderr ? null : stdout === true ? 'stdout' : 'stderr'
  return { ...(attempt === undefined ? {} : { attempt }), ...(one === null ? {} : { stream: one }) }
}

const checkAttempt = (job: Job, folder: string, { attempt, follow }: Options): void => {
  if (attempt === undefined || attempt <= job.attempt || follow === true) return
  if (outputAttempts(folder, job.id).includes(attempt)) return
  throw new JobqError('not-found', `job ${job.id} has had ${job.attempt} attempts, not ${attempt}`)
}

const follow = async (
  queue: Queue,
  id: number,
  options: {
    readonly folder: string
    readonly selection: OutputSelection
    readonly write: (chunk: OutputChunk) => void
  },
): Promise<void> => {
  const { folder, selection, write } = options
  const end = new AbortController()
  const reader = Promise.withResolvers<void>()
  const unwatch = await watchReader(() => {
    end.abort()
    reader.resolve()
  })
  const watch = watchEnd(queue, id, selection.attempt).finally(() => end.abort())
  for await (const chunk of followOutput(folder, id, { ...selection, signal: end.signal, intervalMs: pollMs }))
    write(chunk)
  await Promise.race([watch, reader.promise])
  unwatch()
}

/** Resolves when the job, or this attempt of it, has ended or was deleted. */
const watchEnd = async (queue: Queue, id: number, attempt: number | undefined): Promise<void> => {
  for (;;) {
    const job = await queue.get(id)
    if (job === null || isFinished(job.state)) return
    if (attempt !== undefined && (job.attempt > attempt || (job.attempt === attempt && job.label === 'retrying')))
      return
    await sleep(pollMs)
  }
}

/** Writes pieces in the way asked for, without the first `skip` lines. */
const writer = (output: Output, options: Options, skip: number): ((chunk: OutputChunk) => void) => {
  const drop = lineDropper(skip)
  const decoders = decodersOf()
  return ({ stream, data }) => {
    const rest = drop(data)
    if (rest.length === 0) return
    if (output.json) output.record({ stream, text: decoders[stream].write(rest) })
    else if (options.raw === true) output.raw(rest)
    else output.raw(visibleLines(decoders[stream].write(rest)))
  }
}

const document = (
  job: Job,
  chunks: readonly OutputChunk[],
  { output, options, skip }: { readonly output: Output; readonly options: Options; readonly skip: number },
): void => {
  const drop = lineDropper(skip)
  const decoders = decodersOf()
  const pieces = chunks.map(({ stream, data }) => ({ stream, text: decoders[stream].write(drop(data)) }))
  const attempt = options.attempt ?? job.attempt
  output.document({ id: job.id, attempt, output: pieces.filter(({ text }) => text !== '') })
}

/** Characters may be cut in two between pieces. */
const decodersOf = () => ({ stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') })

/** Takes the first so many lines out of a sequence of pieces. */
const lineDropper = (lines: number): ((data: Buffer) => Buffer) => {
  let left = lines
  return (data) => {
    let start = 0
    while (left > 0) {
      const newline = data.indexOf(10, start)
      if (newline < 0) return Buffer.alloc(0)
      start = newline + 1
      left -= 1
    }
    return data.subarray(start)
  }
}

const countLines = (chunks: readonly OutputChunk[]): number => {
  const data = Buffer.concat(chunks.map((chunk) => chunk.data))
  let lines = data.length > 0 && data.at(-1) !== 10 ? 1 : 0
  for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, at + 1)) lines += 1
  return lines
}
