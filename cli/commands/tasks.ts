/**
 * `jobq tasks`: what a worker would find. The tasks are loaded as a worker loads them, in a child process, so that
 * nothing which a task does at its start can harm the one who looks.
 */
import path from 'node:path'
import type { Command } from 'commander'
import { formatBackoff } from '../../src/backoff.ts'
import { childProgram } from '../../src/pool/child-program.ts'
import { createPool } from '../../src/pool/forked-pool.ts'
import type { TaskProblem, TaskSummary } from '../../src/pool/task-summary.ts'
import { processPlan } from '../../src/process-options.ts'
import { codecPlan } from '../../src/worker/codings.ts'
import { Exit } from '../exit.ts'
import { explain } from '../help.ts'
import { plainText, repeatable } from '../options.ts'
import { openSession, type Session } from '../session.ts'
import { resolve, settings } from '../settings.ts'
import type { Column } from '../table.ts'
import { visibleLines } from '../visible.ts'

interface Options {
  readonly tasks?: readonly string[]
  readonly check?: boolean
}

interface Found {
  readonly tasks: readonly TaskSummary[]
  readonly problems: readonly TaskProblem[]
}

/** Adds `jobq tasks`. */
export const register = (program: Command): void => {
  const command = program
    .command('tasks')
    .description('list the tasks that a worker would find, with their options')
    .addOption(
      repeatable('-t, --tasks <path>', 'file or folder of tasks, repeatable; default ./tasks', (text) => [
        path.resolve(plainText(text)),
      ]),
    )
    .option('--check', 'exit 1 if one of them does not load, or cannot be run with its limits')
    .action(async (options: Options, command: Command) => {
      const session = await openSession(command)
      const { output, sources } = session
      const paths = resolve(settings.tasks, options.tasks, sources).value
      if (paths.length === 0) output.message('There is no folder ./tasks here; --tasks says where another one is.')
      const { tasks, problems } = paths.length === 0 ? { tasks: [], problems: [] } : await load(paths, session)
      if (output.json) output.document(tasks.map(document))
      else if (output.quiet) for (const { name } of tasks) output.line(name)
      else output.table(output.terminal ? columns.filter(({ title }) => title !== 'crashes') : columns, tasks)
      for (const problem of problems) output.complain(problemText(problem))
      if (options.check === true && problems.length > 0) throw new Exit(1)
    })
  explain(
    command,
    [
      ['jobq tasks', 'those in ./tasks'],
      ['jobq tasks --tasks src/jobs --check', 'does everything load? for a build'],
    ],
    `What does not load is told on stderr with its file and line.

Columns when stdout is not a terminal, separated by tabs: name, kind, queue, priority, retries, backoff, expires, soft
time limit, time limit, ack, crashes allowed, whether its payload is checked, file.`,
  )
}

/** Has a child process load the tasks, and say what it found. */
const load = async (paths: readonly string[], { output, config }: Session): Promise<Found> => {
  const found: Found[] = []
  let end = 'it ended'
  const pool = createPool({
    program: childProgram(),
    tasks: paths,
    env: process.env,
    outputFolder: '',
    brokerUrl: '',
    processes: processPlan(config?.values ?? {}),
    codecs: codecPlan(config?.values ?? {}, config?.file ?? null),
    listener: {
      ready: (_child, tasks, problems) => void found.push({ tasks, problems }),
      exited: (_child, exit) => {
        end = exit.detail
      },
      output: (_child, _stream, text) => output.message(visibleLines(text.trimEnd())),
      started: () => undefined,
      finished: () => undefined,
      progress: () => undefined,
      returned: () => undefined,
      call: () => Promise.reject(new Error('no job runs here')),
    },
  })
  try {
    await pool.start(1)
  } finally {
    pool.kill()
    await pool.stop({ graceMs: 0 })
  }
  const [first] = found
  if (first === undefined) throw new Error(`the process that was to load the tasks did not live to tell: ${end}`)
  return first
}

const document = ({ backoff, expiresMs, ...task }: TaskSummary): object => ({
  ...task,
  ...(backoff === undefined ? {} : { backoff: formatBackoff(backoff) }),
  ...(expiresMs === undefined ? {} : { expiresMs }),
})

const problemText = ({ file, line, message }: TaskProblem): string =>
  `${path.relative('', file)}${line === null ? '' : `:${line}`}: ${message}`

const columns: readonly Column<TaskSummary>[] = [
  { title: 'task', value: ({ name }) => name },
  { title: 'kind', value: ({ kind }) => kind },
  { title: 'queue', value: ({ queue }) => queue ?? null },
  { title: 'priority', value: ({ priority }) => priority ?? null },
  { title: 'retries', value: ({ retries }) => retries ?? null },
  { title: 'backoff', value: ({ backoff }) => (backoff === undefined ? null : formatBackoff(backoff)) },
  { title: 'expires', value: ({ expiresMs }) => ({ ms: expiresMs ?? null }) },
  { title: 'soft limit', value: ({ softTimeLimitMs }) => ({ ms: softTimeLimitMs ?? null }) },
  { title: 'limit', value: ({ timeLimitMs }) => ({ ms: timeLimitMs ?? null }) },
  { title: 'ack', value: ({ ack }) => ack ?? null },
  { title: 'crashes', value: ({ maxCrashes }) => maxCrashes ?? null },
  { title: 'checked', value: ({ validated }) => (validated ? 'yes' : 'no') },
  { title: 'file', value: ({ file }) => path.relative('', file) },
]
