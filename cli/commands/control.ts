/** `jobq control`: tells running workers something. */
import { Argument, type Command } from 'commander'
import type { ControlAnswer } from '../../src/client/control.ts'
import { type ControlCommand, type ControlVerb, checkCommand } from '../../src/control/command.ts'
import type { ControlResult } from '../../src/control/result.ts'
import { formatDuration, parseDuration } from '../../src/duration.ts'
import { JobqError } from '../../src/errors.ts'
import { checkName } from '../../src/name.ts'
import { quote } from '../../src/quote.ts'
import { parseTimeLimit } from '../../src/time-limit.ts'
import { dumpLines } from '../dump-text.ts'
import { Exit } from '../exit.ts'
import { explain } from '../help.ts'
import { named, nameOf, oneOf, option, type Parse, wholeNumber } from '../options.ts'
import type { Output } from '../output.ts'
import { withQueue } from '../session.ts'

interface Flags {
  readonly worker?: string
  readonly timeout?: number
  readonly softTimeLimit?: number | 'none'
  readonly timeLimit?: number | 'none'
}

type Verb = Exclude<ControlVerb, 'status'>

/** Reads what follows a verb. */
type Reader = (words: readonly string[], flags: Flags) => ControlCommand

const children = wholeNumber(1, 1_024)
const limitOrNone: Parse<number | 'none'> = (text) => (text === 'none' ? text : parseTimeLimit(text))
const orNull = (limit: number | 'none'): number | null => (limit === 'none' ? null : limit)

const counted =
  (verb: 'grow' | 'shrink'): Reader =>
  (words) => {
    const [count = '1'] = upTo(1, words)
    return { verb, count: named(verb, () => children(count)) }
  }

const bare =
  (verb: Extract<Verb, 'reload' | 'drain' | 'resume' | 'stop' | 'dump'>): Reader =>
  (words) => {
    upTo(0, words)
    return { verb }
  }

const verbs: Readonly<Record<Verb, Reader>> = {
  grow: counted('grow'),
  shrink: counted('shrink'),
  autoscale: (words) => {
    const [max, min, ...rest] = upTo(1, words).flatMap((word) => word.split(','))
    if (max === undefined || min === undefined || rest.length > 0) {
      throw new JobqError('usage', `autoscale: ${quote(words.join(' '))} is not MAX,MIN`)
    }
    return named('autoscale', () => ({ verb: 'autoscale', max: children(max.trim()), min: children(min.trim()) }))
  },
  reload: bare('reload'),
  limits: (words, { softTimeLimit, timeLimit }) => {
    const [task] = upTo(1, words)
    if (task === undefined) throw new JobqError('usage', 'limits: of which task?')
    if (softTimeLimit === undefined && timeLimit === undefined) {
      throw new JobqError('usage', 'limits: give --soft-time-limit, --time-limit or both')
    }
    return {
      verb: 'limits',
      task: named('limits', () => checkName('task', task)),
      ...(softTimeLimit === undefined ? {} : { softTimeLimitMs: orNull(softTimeLimit) }),
      ...(timeLimit === undefined ? {} : { timeLimitMs: orNull(timeLimit) }),
    }
  },
  drain: bare('drain'),
  resume: bare('resume'),
  stop: bare('stop'),
  dump: bare('dump'),
}

const upTo = (most: number, words: readonly string[]): readonly string[] => {
  if (words.length <= most) return words
  throw new JobqError('usage', `${quote(words[most])} is one word too many`)
}

/** Adds `jobq control`. */
export const register = (program: Command): void => {
  const names = Object.keys(verbs) as Verb[]
  const command = program
    .command('control')
    .addArgument(new Argument('<verb>', 'what to tell them').choices(names).argParser(oneOf(...names)))
    .argument('[value...]', 'what the verb needs')
    .addOption(option('--worker <name>', 'only workers of this name; default all', nameOf('worker')))
    .addOption(option('--timeout <duration>', 'how long to wait for an answer; default 5s, reload 60s', parseDuration))
    .addOption(option('--soft-time-limit <duration>', 'limits: a soft limit, or none', limitOrNone))
    .addOption(option('--time-limit <duration>', 'limits: a hard limit, or none', limitOrNone))
    .description('tell running workers something')
    .action((verb: Verb, words: readonly string[], flags: Flags, command: Command) => {
      const order = checkCommand(verbs[verb](words, flags))
      if (verb !== 'limits' && (flags.softTimeLimit !== undefined || flags.timeLimit !== undefined)) {
        throw new JobqError('usage', '--soft-time-limit and --time-limit go with the verb limits only')
      }
      return withQueue(command, async (queue, { output }) => {
        const { worker, timeout } = flags
        const answers = await queue.control(order, {
          ...(worker === undefined ? {} : { worker }),
          ...(timeout === undefined ? {} : { timeout }),
        })
        tell(answers, output)
      })
    })
  explain(
    command,
    [
      ['jobq control dump', 'what every worker and each of its children does now'],
      ['jobq control grow 2', 'two children more, in every worker'],
      ['jobq control autoscale 10,2 --worker web', 'follow the load with 2 to 10 children'],
      ['jobq control limits mail/send --time-limit 30s', 'for jobs that start from now on'],
      ['jobq control reload', 'let new children load the tasks as they are now'],
      ['jobq control drain', 'finish what runs, take nothing more, stay up'],
      ['jobq control resume', 'take jobs again'],
      ['jobq control stop', 'finish what runs and end, as TERM does'],
    ],
    `grow [N], shrink [N]: change the number of children, by 1 unless N is given; a busy child finishes its job first.
autoscale MAX,MIN: from now on between MIN and MAX children, by the load.
limits TASK: change the time limits of a task until the worker ends; a job's own limits still win. 'exec' is every command.
reload: fresh children take over once they have loaded the tasks; if they cannot, all stays as it was.
drain: finish what runs, give back what waits and take nothing more, until resume. stop: the same, and end.

A line for each worker that did it; what others answered is on stderr. Exit 0 when all did it, 1 when one refused or did
not answer, 69 when none answered, 3 for an unknown --worker or a task that no worker has. Workers take commands from
their own user only.`,
  )
}

const tell = (answers: readonly ControlAnswer[], output: Output): void => {
  const done = answers.filter((answer) => answer.ok)
  const failed = answers.flatMap((answer) => failureOf(answer) ?? [])
  if (output.json) output.document(answers.map(document))
  else if (output.quiet) for (const { worker } of done) output.line(worker)
  else {
    for (const { result } of done) if (result.verb === 'dump') for (const line of dumpLines(result)) output.line(line)
    output.table(
      [
        { title: 'worker', value: ({ worker }) => worker },
        { title: 'pid', value: ({ pid }) => pid },
        { title: 'answer', value: ({ result }) => resultText(result) },
      ],
      done.filter(({ result }) => result.verb !== 'dump' && !(result.verb === 'reload' && !result.loaded)),
    )
  }
  for (const { worker, pid, message } of failed) output.complain(`worker ${worker} (pid ${pid}): ${message}`)
  if (answers.length === 0) throw new Exit(69, "no worker is running: 'jobq run' starts one")
  if (!answers.some(({ answered }) => answered)) throw new Exit(69)
  if (failed.length > 0) throw new Exit(failed.every(({ code }) => code === 'not-found') ? 3 : 1)
}

/** Why a worker did not do it; null where it did. */
const failureOf = (answer: ControlAnswer) => {
  const { worker, pid } = answer
  if (!answer.ok) return { worker, pid, code: answer.code, message: answer.message }
  const { result } = answer
  if (result.verb !== 'reload' || result.loaded) return null
  const places = result.problems.map(
    ({ file, line, message }) => `${file}${line === null ? '' : `:${line}`}: ${message}`,
  )
  return { worker, pid, code: 'conflict', message: [result.message, ...places].join('\n') }
}

const document = (answer: ControlAnswer): object => {
  const { worker, pid, ok, answered } = answer
  if (!answer.ok) return { worker, pid, ok, answered, error: { code: answer.code, message: answer.message } }
  return { worker, pid, ok, answered, ...answer.result }
}

const resultText = (result: ControlResult): string => {
  switch (result.verb) {
    case 'grow':
    case 'shrink':
    case 'autoscale': {
      const { from, to } = result
      return from === to ? `stays at ${to} children` : `from ${from} to ${to} children`
    }
    case 'drain':
      return result.running === 0 ? 'drained: nothing runs' : `draining: ${result.running} still at work`
    case 'stop':
      return result.running === 0 ? 'stopping' : `stopping: ${result.running} still at work`
    case 'resume':
      return 'takes jobs again'
    case 'reload':
      return result.message
    case 'limits': {
      const { task, softTimeLimitMs: soft, timeLimitMs: hard } = result
      const of = (limit: number | null): string => (limit === null ? 'none' : formatDuration(limit))
      return [
        task,
        ...(soft === undefined ? [] : [`soft time limit ${of(soft)}`]),
        ...(hard === undefined ? [] : [`time limit ${of(hard)}`]),
      ].join(', ')
    }
    case 'dump':
    case 'status':
      return result.verb
  }
}
