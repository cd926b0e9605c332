/** `jobq enqueue`: adds a task, a command or a batch, prints their ids, and waits for them if told to. */
import { type Command, Option } from 'commander'
import type { Broker } from '../../src/broker/broker.ts'
import { systemClock } from '../../src/clock.ts'
import { JobqError } from '../../src/errors.ts'
import type { Enqueued } from '../../src/job.ts'
import { decodeJson } from '../../src/json.ts'
import { readLongBatch } from '../batch.ts'
import { enqueueItem, shellArgv, shellLine, type Target, wholeEnvironment } from '../enqueue-item.ts'
import { type JobOptionValues, jobOptions } from '../enqueue-options.ts'
import { printEnqueued } from '../enqueued.ts'
import { Exit } from '../exit.ts'
import { followJob } from '../follow.ts'
import { explain } from '../help.ts'
import { option, repeatable } from '../options.ts'
import type { Output } from '../output.ts'
import { payloadText, readText } from '../payload.ts'
import { type Planned, planned, sealAll } from '../planned.ts'
import type { Progress } from '../progress.ts'
import { onQueue, openSession } from '../session.ts'
import { named } from '../values.ts'
import { exitCodeOfAll, waitShown } from '../wait.ts'

interface Flags extends JobOptionValues {
  readonly shell?: string
  readonly envAll?: boolean
  readonly batch?: boolean
  readonly wait?: boolean
  readonly follow?: boolean
  readonly raw?: boolean
}

/** Adds `jobq enqueue`. */
export const register = (program: Command): void => {
  const command = program
    .command('enqueue')
    .alias('add')
    .argument('[words...]', 'TASK [JSON], or -- COMMAND ARGUMENT…')
    .usage(
      '[options] TASK [JSON]\n       jobq enqueue [options] -- COMMAND [ARGUMENT…]\n       jobq enqueue [options] --batch',
    )
    .description('add jobs; prints the id of each, one a line')
  const {
    queue,
    priority,
    delay,
    at,
    expires,
    retries,
    backoff,
    softTimeLimit,
    timeLimit,
    unique,
    onConflict,
    after,
    afterAny,
    tag,
    name,
    meta,
    serializer,
    compress,
    sign,
    cwd,
    env,
    stdin,
  } = jobOptions
  for (const { flags, description, parse } of [
    queue,
    priority,
    delay,
    at,
    expires,
    retries,
    backoff,
    softTimeLimit,
    timeLimit,
    unique,
    onConflict,
    name,
  ]) {
    command.addOption(option<unknown>(flags, description, parse))
  }
  for (const { flags, description, parse } of [after, afterAny])
    command.addOption(repeatable(flags, description, parse))
  command.addOption(repeatable(tag.flags, tag.description, tag.parse))
  command.addOption(repeatable(meta.flags, meta.description, meta.parse))
  command.optionsGroup('How the payload is written:')
  for (const { flags, description, parse } of [serializer, compress, sign]) {
    command.addOption(option(flags, description, parse))
  }
  command.optionsGroup('For commands:')
  command
    .addOption(option('--shell <line>', 'run this line by /bin/sh', shellLine))
    .addOption(option(cwd.flags, cwd.description, cwd.parse))
    .addOption(repeatable(env.flags, env.description, env.parse))
    .option('--env-all', 'all variables that are set here')
    .addOption(option(stdin.flags, stdin.description, stdin.parse))
  command.optionsGroup('Then:')
  command
    .option('--batch', 'read jobs from standard input, a JSON object a line')
    .option('--wait', 'wait for the end, and exit as the job did')
    .option('--follow', 'with --wait: print what the job writes, instead of its id')
    .addOption(new Option('--raw', 'with --follow: the bytes as they are, terminal escapes included'))
  command.action(async (words: readonly string[], flags: Flags, command: Command) => {
    checkTogether(flags)
    const session = await openSession(command)
    const now = systemClock.now()
    const progress = session.output.progress('adding')
    try {
      const jobs = await jobsOf(words, flags, { now: now.at, progress })
      await onQueue(session, async (queue, messages) => {
        const published = await queue.broker.tasks.list()
        if (jobs.length >= longBatch) progress.still(`writing ${jobs.length.toLocaleString('en-US')} jobs, all or none`)
        const added = await queue.broker.enqueue(sealAll(jobs, { messages, published, now: now.at }), now)
        progress.end()
        if (flags.follow !== true) printEnqueued(added, session.output, flags.batch === true)
        if (flags.wait === true) await waitFor(queue.broker, added, { flags, output: session.output })
      })
    } finally {
      progress.end()
    }
  })
  explain(command, examples, details)
}

/** Writing so many jobs takes long enough to be told. */
const longBatch = 20_000

const examples = [
  ['jobq enqueue -- convert a.png b.jpg', 'a command'],
  ['jobq enqueue mail/send \'{"to":"ann"}\'', 'a task with its payload'],
  ['jobq enqueue mail/send @letter.json --delay 5m', 'its payload from a file, in five minutes'],
  ['jobq enqueue --retries 3 --shell "a | b"', 'a line for the shell'],
  ['jobq enqueue --soft-time-limit 50s --time-limit 1m -- make', 'TERM after 50 s, KILL after a minute'],
  ['jobq enqueue --after 41,42 -- make report', 'once two jobs have succeeded'],
  ['jobq enqueue --wait --follow -- make', 'as if it ran here'],
  ['jobq enqueue --batch < jobs.ndjson', 'many at once, all or none'],
] as const

const details = `A payload is JSON; - reads it from standard input, @FILE from a file. It is written as --serializer and --compress say, else
as its task's definition does, else as JSON; 'jobq help serializers' tells what each of them keeps. --sign takes the id of a
key ('jobq keys'); one that cannot be used is refused with exit 77, and nothing is written.

A line of a batch is {"task":"t","payload":{…},"queue":"q",…} or {"argv":["echo","hi"],…}. Its keys are the long options
in camel case; what can be repeated is a list (tags, after, afterAny), env and meta are objects. Numbers mean what they
mean on the command line (a delay of 90 is 90 seconds). Options beside --batch hold for lines that do not say it
themselves. One bad line refuses the batch.

A command runs without a shell, in the present folder, with PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ and TMPDIR of
the worker, JOBQ_… of its own, and what --env and --env-all name with the value it has here.`

const checkTogether = ({ batch, follow, wait, raw, stdin }: Flags): void => {
  if (follow === true && wait !== true) throw new JobqError('usage', '--follow: only with --wait')
  if (raw === true && follow !== true) throw new JobqError('usage', '--raw: only with --follow')
  if (batch === true && follow === true) throw new JobqError('usage', '--follow: not together with --batch')
  if (batch === true && stdin === '-') throw new JobqError('usage', '--stdin: standard input holds the batch')
}

const jobsOf = async (
  words: readonly string[],
  flags: Flags,
  { now, progress }: { readonly now: number; readonly progress: Progress },
): Promise<Planned[]> => {
  const { shell, envAll, batch } = flags
  const given = jobValues(flags)
  const values = envAll === true ? { ...given, env: [...wholeEnvironment(), ...(given.env ?? [])] } : given
  if (batch !== true) return [planned(() => enqueueItem(targetOf(words, shell), values), { now, place: null })]
  if (words.length > 0 || shell !== undefined) {
    throw new JobqError('usage', '--batch: jobs come from standard input, not from arguments')
  }
  const onLines = (read: number, all: number): void => progress.update(read, all, 'lines checked')
  return readLongBatch(readText('-'), values, { now, onLines })
}

/** Of the flags, those that belong to a job. */
const jobValues = (flags: Flags): JobOptionValues =>
  Object.fromEntries(Object.entries(flags).filter(([name]) => Object.hasOwn(jobOptions, name)))

const targetOf = (words: readonly string[], shell: string | undefined): Target => {
  const cut = process.argv.indexOf('--')
  const argv = cut < 0 ? null : process.argv.slice(cut + 1)
  const before = argv === null ? words : words.slice(0, words.length - argv.length)
  if (shell !== undefined) {
    if (words.length > 0) throw new JobqError('usage', '--shell: not together with a task or a command')
    return { argv: shellArgv(shell) }
  }
  if (argv !== null && before.length > 0) throw new JobqError('usage', 'a task or, behind --, a command: not both')
  if (argv !== null && argv.length === 0) throw new JobqError('usage', 'a command is missing behind --')
  if (argv !== null) return { argv }
  const [task, payload, ...more] = words
  if (task === undefined) throw new JobqError('usage', 'what? give TASK [JSON], or -- COMMAND, or --batch')
  if (more.length > 0) throw new JobqError('usage', 'too many arguments: TASK [JSON]; a command goes behind --')
  return { task, payload: payload === undefined ? undefined : named('payload', () => decodeJson(payloadText(payload))) }
}

const waitFor = async (
  broker: Broker,
  added: readonly Enqueued[],
  { flags, output }: { readonly flags: Flags; readonly output: Output },
): Promise<void> => {
  const ids = [...new Set(added.map(({ id }) => id))]
  const [only] = ids
  if (flags.follow === true && only !== undefined) await followJob(broker, only, { raw: flags.raw === true })
  const jobs = await waitShown(broker, ids, { timeoutMs: null, any: false, output })
  const code = exitCodeOfAll(jobs)
  if (code !== 0) throw new Exit(code)
}
