/** `jobq control`: tells running workers something. */
import { Argument, type Command } from 'commander'
import { parseDuration } from '../../src/duration.ts'
import { JobqError } from '../../src/errors.ts'
import { commandTask } from '../../src/job.ts'
import { checkName } from '../../src/name.ts'
import { nearest } from '../../src/nearest.ts'
import { formatRate, parseRate } from '../../src/rate.ts'
import { tellControl } from '../control-answers.ts'
import { type LimitFlags, limitOrNone, readCommand, upTo, type WorkerVerb, workerVerbs } from '../control-verbs.ts'
import { explain } from '../help.ts'
import { named, nameOf, oneOf, option } from '../options.ts'
import { withQueue } from '../session.ts'

interface Flags extends LimitFlags {
  readonly worker?: string
  readonly timeout?: number
}

/** Adds `jobq control`. */
export const register = (program: Command): void => {
  const names = [...workerVerbs, 'rate'] as const
  const command = program
    .command('control')
    .addArgument(new Argument('<verb>', 'what to tell them').choices(names).argParser(oneOf(...names)))
    .argument('[value...]', 'what the verb needs')
    .addOption(option('--worker <name>', 'only workers of this name; default all', nameOf('worker')))
    .addOption(option('--timeout <duration>', 'how long to wait for an answer; default 5s, reload 70s', parseDuration))
    .addOption(option('--soft-time-limit <duration>', 'limits: a soft limit, or none', limitOrNone))
    .addOption(option('--time-limit <duration>', 'limits: a hard limit, or none', limitOrNone))
    .description('tell running workers something')
    .action((verb: WorkerVerb | 'rate', words: readonly string[], flags: Flags, command: Command) =>
      verb === 'rate' ? rate(words, flags, command) : control(verb, { words, flags }, command),
    )
  explain(
    command,
    [
      ['jobq control dump', 'what every worker and each of its children does now'],
      ['jobq control grow 2', 'two children more, in every worker'],
      ['jobq control autoscale 10,2 --worker web', 'follow the load with 2 to 10 children'],
      ['jobq control limits mail/send --time-limit 30s', 'for jobs that start from now on'],
      ['jobq control rate mail/send 100/m', 'start no more than 100 a minute, over all workers'],
      ['jobq control reload', 'let new children load the tasks as they are now'],
      ['jobq control drain', 'finish what runs, take nothing more, stay up'],
      ['jobq control resume', 'take jobs again'],
      ['jobq control stop', 'finish what runs and end, as TERM does'],
    ],
    `grow [N], shrink [N]: change the number of children, by 1 unless N is given; a busy child finishes its job first.
autoscale MAX,MIN: from now on between MIN and MAX children, by the load.
limits TASK: change the time limits of a task until the worker ends; a job's own limits still win. 'exec' is every command.
rate TASK R: start jobs of a task at most so often (10/s, 100/m, 5000/h, none), over all workers of the broker, those that
come later too; rate TASK, or rate alone, tells what is set. A task that no worker has had yet is told on stderr.
reload: fresh children take over once they have loaded the tasks; if they cannot, all stays as it was.
drain: finish what runs, give back what waits and take nothing more, until resume. stop: the same, and end.

A line for each worker that did it; what others answered is on stderr. Exit 0 when all did it, 1 when one refused or did
not answer, 69 when none answered, 3 for an unknown --worker or a task that no worker has. Workers take commands from
their own user only.`,
  )
}

const control = (
  verb: WorkerVerb,
  given: { readonly words: readonly string[]; readonly flags: Flags },
  command: Command,
): Promise<void> => {
  const { worker, timeout } = given.flags
  const order = readCommand(verb, given.words, given.flags)
  return withQueue(command, async (queue, { output }) => {
    const options = { ...(worker === undefined ? {} : { worker }), ...(timeout === undefined ? {} : { timeout }) }
    tellControl(await queue.control(order, options), output)
  })
}

/** The broker holds start rates, so no worker has to run. */
const rate = (words: readonly string[], flags: Flags, command: Command): Promise<void> => {
  if (Object.keys(flags).length > 0) throw new JobqError('usage', 'rate holds for all workers and takes no option')
  const [task, text] = upTo(2, words)
  const name = task === undefined ? null : named('rate', () => checkName('task', task))
  const wanted = text === undefined ? null : named('rate', () => formatRate(parseRate(text)))
  return withQueue(command, async (queue, { output }) => {
    const { tasks } = queue.broker
    if (name !== null && wanted !== null) await queue.limitStarts(name, wanted)
    const set = (await tasks.startRates()).map((each) => ({ task: each.task, rate: formatRate(each.rate) }))
    const shown = name === null ? set : [set.find((each) => each.task === name) ?? { task: name, rate: 'none' }]
    if (output.json) output.document(shown)
    else if (output.quiet) for (const each of shown) output.line(each.task)
    else {
      output.table(
        [
          { title: 'task', value: (each) => each.task },
          { title: 'rate', value: (each) => each.rate },
        ],
        shown,
      )
    }
    const known = (await tasks.list()).map((each) => each.task)
    if (name !== null && name !== commandTask && !known.includes(name)) output.message(unknownTask(name, known))
  })
}

// It may be the task of a worker that is yet to come.
const unknownTask = (name: string, known: readonly string[]): string => {
  const meant = nearest(name, known)
  return `No worker has had a task ${name} yet${meant === null ? '' : `; did you mean ${meant}?`}`
}
