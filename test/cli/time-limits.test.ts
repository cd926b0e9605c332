// Time limits as one meets them at the command line, from the flag to the exit code.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Workspace } from '../support/cli.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

const start = async (parameters: readonly string[] = [], env: Readonly<Record<string, string>> = {}) => {
  const worker = workspace.start(['run', '-c', '1', ...parameters], { env })
  await worker.until(/is online/)
  return worker
}

interface Shown {
  readonly state: string
  readonly attempt: number
  readonly error: { readonly type: string; readonly message: string } | null
  readonly signal: string | null
  readonly exitCode: number | null
}

const show = async (id: string): Promise<Shown> => (await workspace.json(['show', id])) as Shown

describe('jobq enqueue with time limits', () => {
  it('ends a busy loop, retries it, and says why in its timeline', async () => {
    workspace.write('tasks/busy.js', 'export default () => { for (;;); }')
    workspace.write('tasks/quick.js', 'export default () => "done"')
    await start()
    const enqueue = ['enqueue', '--time-limit', '300ms', '--retries', '1', '--backoff', 'fixed:1ms', '--wait', 'busy']
    const waited = await workspace.run(enqueue)
    assert.equal(waited.code, 4, waited.stderr)
    const id = waited.stdout.trim()
    const { state, attempt, error } = await show(id)
    assert.deepEqual([state, attempt, error?.type], ['failed', 2, 'TimeLimitExceeded'])
    const timeline = await workspace.output(['show', id])
    assert.match(timeline, /TimeLimitExceeded: it ran longer than its time limit of 300ms/)
    await workspace.output(['enqueue', '--wait', 'quick'])
  })

  it('sends TERM at the soft limit, and KILL to all of it at the hard one', async () => {
    await start()
    const polite = await workspace.run([
      ...['enqueue', '--soft-time-limit', '3', '--wait', '--follow', '--shell'],
      'trap "echo cleaning up; exit 0" TERM; while :; do sleep 0.05; done',
    ])
    assert.deepEqual([polite.code, polite.stdout], [0, 'cleaning up\n'])
    const pids = path.join(workspace.folder, 'pids')
    const deaf = await workspace.run([
      ...['enqueue', '--soft-time-limit', '3s', '--time-limit', '5s', '--wait', '--shell'],
      `trap '' TERM; setsid sh -c 'trap "" TERM; echo $$ > pids; while :; do sleep 0.1; done' & wait; wait`,
    ])
    assert.equal(deaf.code, 137, deaf.stderr)
    assert.equal((await show(deaf.stdout.trim())).error?.type, 'TimeLimitExceeded')
    const pid = Number(fs.readFileSync(pids, 'utf8'))
    await until('its grandchild to be gone', () => !isAlive(pid))
  })

  it('takes the limits of a batch line by line, in the words of the options', async () => {
    await start()
    const lines = [
      { argv: ['sleep', '100'], timeLimit: 0.5 },
      { argv: ['sleep', '100'], softTimeLimit: '1s' },
      { argv: ['true'] },
    ]
    const input = lines.map((line) => JSON.stringify(line)).join('\n')
    const ids = (await workspace.output(['enqueue', '--batch', '--time-limit', '1h'], { input })).trim().split('\n')
    await workspace.run(['wait', ...ids])
    const shown = await Promise.all(ids.map(show))
    assert.deepEqual(
      shown.map(({ state, error, signal }) => [state, error?.type, signal]),
      [
        ['failed', 'TimeLimitExceeded', 'SIGKILL'],
        ['failed', 'SoftTimeLimitExceeded', 'SIGTERM'],
        ['succeeded', undefined, null],
      ],
    )
    const refused = await workspace.run(['enqueue', '--batch'], {
      input: '{"argv":["true"]}\n{"argv":["true"],"softTimeLimit":9,"timeLimit":9}',
    })
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /line 2: softTimeLimit: 9s is not below timeLimit/)
  })
})

describe('jobq run with time limits', () => {
  const endOf = async (...parameters: string[]): Promise<Shown> => {
    const { stdout } = await workspace.run(['enqueue', '--wait', ...parameters])
    return show(stdout.trim())
  }

  it('holds jobs to its flag, tasks to their own, and a job to its own', async () => {
    workspace.write('tasks/own.js', 'export const options = { timeLimit: "400ms" }\nexport default () => { for (;;); }')
    await start(['--time-limit', '600ms'])
    assert.match((await endOf('--', 'sleep', '100')).error?.message ?? '', /time limit of 600ms/)
    assert.match((await endOf('own')).error?.message ?? '', /time limit of 400ms/)
    assert.match((await endOf('--time-limit', '200ms', 'own')).error?.message ?? '', /time limit of 200ms/)
    const lines = await workspace.output(['tasks'])
    assert.match(lines, /^own\t.*\t400ms\t/m)
  })

  it('takes them from its variables, and from the configuration', async () => {
    workspace.write(
      'jobq.config.json',
      '{"worker": {"timeLimit": "1m"}, "taskOptions": {"exec": {"softSignal": "INT"}}}',
    )
    await start([], { JOBQ_SOFT_TIME_LIMIT: '500ms' })
    const { state, error, signal } = await endOf('--', 'sleep', '100')
    assert.deepEqual([state, error?.type, signal], ['failed', 'SoftTimeLimitExceeded', 'SIGINT'])
    const config = await workspace.output(['config'], { env: { JOBQ_SOFT_TIME_LIMIT: '500ms' } })
    assert.match(config, /^softTimeLimit\t500ms\tenvironment$/m)
    assert.match(config, /^timeLimit\t1m\t.*jobq\.config\.json$/m)
  })
})
