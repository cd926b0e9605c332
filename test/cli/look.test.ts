import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { ends } from '../broker/conformance/scene.ts'
import { program, Workspace } from '../support/cli.ts'
import { withScene } from '../support/scenery.ts'

interface Shown {
  readonly id: number
  readonly [field: string]: unknown
}

describe('looking at a broker', () => {
  const workspace = new Workspace()
  const ids: Record<string, number> = {}
  const ls = async (...parameters: string[]): Promise<number[]> =>
    ((await workspace.json(['ls', ...parameters])) as Shown[]).map(({ id }) => id)
  const idsOf = (...names: string[]): number[] => names.map((name) => ids[name] ?? 0)

  before(async () => {
    await withScene(workspace, async (scene) => {
      const at = scene.at
      scene.at -= 60_000
      await scene.broker.tasks.publish([{ task: 'work' }])
      ids.done = await scene.addId({ queue: 'media', tags: ['night', 'big'], priority: 9, name: 'first' })
      await scene.runOne(ends.succeeded('{"width":10}'))
      ids.failed = await scene.addId({ queue: 'media' })
      await scene.runOne(ends.failed('no such\u001b[31m file'))
      ids.retrying = await scene.addId({ queue: 'mail', retries: 3 })
      await scene.runOne(ends.retried(at + 3_600_000))
      scene.at = at
      // As if just heard of, for as long as these tests may take.
      const [worker] = await scene.broker.workers.list()
      assert.ok(worker)
      const status = { status: 'online', size: 2, busy: 1, processed: 3, children: [] } as const
      await scene.broker.workers.beat(worker.session, status, { at: at + 3_600_000, tick: scene.tick })
      ids.running = await scene.addId({ queue: 'mail', payload: { serializer: 'json', text: '{"to":"ann"}' } })
      const job = await scene.claimOne()
      await scene.settle(scene.started(job), scene.progress(job, 0.5, 'half'))
      ids.later = await scene.addId({ queue: 'mail', dueAt: at + 86_400_000, uniqueKey: 'daily' })
      ids.unknown = await scene.addId({ queue: 'media', task: 'nobody/knows' })
      ids.waits = await scene.addId({ queue: 'media', after: [ids.running] })
      await scene.broker.setPaused('media', true, scene.now())
    })
  })
  after(() => workspace.remove())

  describe('jobq ls', () => {
    test('gives all jobs as one document, the newest first', async () => {
      const all = idsOf('waits', 'unknown', 'later', 'running', 'retrying', 'failed', 'done')
      assert.deepEqual(await ls(), all)
      assert.deepEqual(await ls('--sort', 'oldest'), all.toReversed())
    })

    const filters: readonly [string[], string[]][] = [
      [['--state', 'failed'], ['failed']],
      [
        ['--state', 'failed,succeeded'],
        ['failed', 'done'],
      ],
      [
        ['-q', 'mail'],
        ['later', 'running', 'retrying'],
      ],
      [['--task', 'nobody/knows'], ['unknown']],
      [['--tag', 'big'], ['done']],
      [
        ['--since', '30s'],
        ['waits', 'unknown', 'later', 'running'],
      ],
      [
        ['--limit', '2'],
        ['waits', 'unknown'],
      ],
      [
        ['--limit', '2', '--sort', 'oldest'],
        ['done', 'failed'],
      ],
      [['--sort', 'priority', '--limit', '1'], ['done']],
      [
        ['--sort', 'due', '-q', 'mail'],
        ['running', 'retrying', 'later'],
      ],
      [
        ['--sort', 'finished', '--state', 'succeeded,failed'],
        ['failed', 'done'],
      ],
      [['--state', 'cancelled'], []],
    ]
    for (const [parameters, expected] of filters) {
      test(parameters.join(' '), async () => assert.deepEqual(await ls(...parameters), idsOf(...expected)))
    }

    test('has stable columns separated by tabs when piped', async () => {
      const line = (await workspace.output(['ls', '--state', 'succeeded'])).split('\t')
      assert.deepEqual(line.slice(0, 8), [String(ids.done), 'succeeded', '', 'work', 'media', '9', '1', '1'])
      assert.match(line[8] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.equal(line[12], 'first')
    })

    test('shows text from jobs with its escapes made visible', async () => {
      assert.match(await workspace.output(['ls', '--state', 'failed']), /\tError: no such\\x1b\[31m file\n$/)
    })

    test('prints ids only with --quiet, also under its other names', async () => {
      const mail = idsOf('later', 'running', 'retrying').map((id) => `${id}\n`)
      assert.equal(await workspace.output(['list', '-q', 'mail', '--quiet']), mail.join(''))
      assert.equal(await workspace.output(['status', '-q', 'mail', '--quiet']), mail.join(''))
    })

    const refusals: readonly [string[], RegExp][] = [
      [['--state', 'done'], /--state: "done" is not one of/],
      [['--limit', 'ten'], /--limit: "ten"/],
      [['--since', 'yore'], /--since: "yore"/],
      [['--sort', 'size'], /--sort: "size"/],
      [['--queue', '../x'], /--queue: /],
    ]
    for (const [parameters, message] of refusals) {
      test(`refuses ${parameters.join(' ')}`, async () => {
        const { code, stderr, stdout } = await workspace.run(['ls', ...parameters])
        assert.equal(code, 2)
        assert.match(stderr, message)
        assert.equal(stdout, '')
      })
    }
  })

  describe('jobq show', () => {
    test('an error always has its three fields', async () => {
      const { error } = (await workspace.json(['show', String(ids.failed)])) as { error: unknown }
      assert.deepEqual(error, { type: 'Error', message: 'no such\u001b[31m file', stack: null })
    })

    test('gives a job with every field of the contract and its timeline', async () => {
      const job = (await workspace.json(['show', String(ids.done)])) as Shown
      const fields = `id task queue state label priority attempt maxAttempts payload result error exitCode signal progress
        createdAt dueAt startedAt finishedAt worker pid unique tags meta name after serializer compression signedBy ref`
      for (const field of fields.split(/\s+/)) assert.ok(Object.hasOwn(job, field), field)
      assert.deepEqual(job.result, { width: 10 })
      assert.deepEqual(job.tags, ['night', 'big'])
      assert.match(String(job.finishedAt), /Z$/)
      const timeline = job.timeline as Shown[]
      assert.deepEqual(
        timeline.map(({ type }) => type),
        ['job.queued', 'job.started', 'job.succeeded'],
      )
    })

    test('tells the progress and the label', async () => {
      const running = (await workspace.json(['show', String(ids.running)])) as Shown
      assert.deepEqual(running.progress, { fraction: 0.5, text: 'half' })
      const retrying = (await workspace.json(['show', String(ids.retrying)])) as Shown
      assert.deepEqual([retrying.state, retrying.label, retrying.attempt], ['queued', 'retrying', 1])
    })

    test('is readable by line when piped', async () => {
      const lines = (await workspace.output(['show', String(ids.failed)])).split('\n')
      assert.ok(lines.includes('state\tfailed'))
      assert.ok(lines.some((line) => /^event\t.*\tjob\.failed\tattempt 1 failed for good.*Error: no such/.test(line)))
    })

    test('an unknown id ends with 3, none with 2', async () => {
      const unknown = await workspace.run(['show', '4711'])
      assert.deepEqual([unknown.code, unknown.stdout], [3, ''])
      assert.match(unknown.stderr, /there is no job 4711/)
      for (const id of ['x', '-1', '0', '9007199254740993']) {
        assert.equal((await workspace.run(['show', '--', id])).code, 2, id)
      }
    })
  })

  describe('jobq why', () => {
    const rows: readonly [string, string[]][] = [
      ['done', ['succeeded']],
      ['failed', ['failed']],
      ['retrying', ['backing-off']],
      ['running', ['running']],
      ['later', ['not-due', 'unique-holder']],
      ['unknown', ['queue-paused', 'unknown-task']],
      ['waits', ['waits-for', 'queue-paused']],
    ]
    for (const [name, codes] of rows) {
      test(name, async () => {
        const answer = (await workspace.json(['why', String(ids[name])])) as {
          id: number
          state: string
          reasons: { code: string }[]
        }
        assert.equal(answer.id, ids[name])
        assert.deepEqual(
          answer.reasons.map(({ code }) => code),
          codes,
        )
      })
    }

    test('has a line a reason when piped, with escapes made visible', async () => {
      const lines = await workspace.output(['why', String(ids.failed)])
      assert.match(lines, /^failed\tfailed in attempt 1 of 1 with Error: no such\\x1b\[31m file at [^\n]*\n$/)
    })

    test('an unknown id ends with 3', async () => assert.equal((await workspace.run(['why', '4711'])).code, 3))
  })

  test('jobq queues gives the documented document', async () => {
    const queues = (await workspace.json(['queues'])) as Record<string, unknown>[]
    const media = queues.find(({ name }) => name === 'media')
    assert.ok(typeof media?.oldestWaitingMs === 'number')
    assert.deepEqual(
      { ...media, oldestWaitingMs: 0 },
      {
        ...{ name: 'media', paused: true, blocked: 1, queued: 1, scheduled: 0, running: 0, succeeded: 1, failed: 1 },
        ...{ cancelled: 0, oldestWaitingMs: 0, limits: {} },
      },
    )
    assert.match(await workspace.output(['queues']), /^mail\tactive\t0\t2\t2\t1\t0\t0\t0\t\nmedia\tpaused\t/m)
  })

  test('jobq workers lists those that are not known to be gone', async () => {
    const workers = (await workspace.json(['workers'])) as Record<string, unknown>[]
    assert.equal(workers.length, 1)
    const keys =
      `name host pid startedAt uptimeMs heartbeatAt status size busy processed queues children trouble`.split(' ')
    assert.deepEqual(Object.keys(workers[0] ?? {}), keys)
    assert.deepEqual([workers[0]?.name, workers[0]?.host, workers[0]?.pid], ['w1', 'here', 100])
  })
})

describe('looking at an empty broker', () => {
  const workspace = new Workspace()
  after(() => workspace.remove())

  for (const command of ['ls', 'workers']) {
    test(`jobq ${command} gives an empty list`, async () => {
      assert.equal(await workspace.output([command, '--json']), '[]\n')
      assert.equal(await workspace.output([command]), '')
    })
  }

  test('jobq queues knows the default one', async () => {
    const queues = (await workspace.json(['queues'])) as Record<string, unknown>[]
    assert.deepEqual(
      queues.map(({ name, queued, oldestWaitingMs }) => [name, queued, oldestWaitingMs]),
      [['default', 0, null]],
    )
  })

  test('jobq stats counts nothing', async () => {
    const stats = (await workspace.json(['stats'])) as Record<string, unknown>
    assert.deepEqual(stats.waitMs, { p50: null, p95: null, p99: null })
    assert.deepEqual([stats.perSecond, stats.oldestWaitingMs, stats.drainsAt], [0, null, null])
  })

  test('jobq events has nothing to tell', async () => assert.equal(await workspace.output(['events', '--json']), ''))
})

describe('jobq stats', () => {
  const workspace = new Workspace()
  after(() => workspace.remove())

  test('gives the documented document', async () => {
    await withScene(workspace, async (scene) => {
      await scene.addAll([{}, {}, {}])
      scene.at += 30
      await scene.runOne(ends.succeeded())
      const job = await scene.claimOne({ limit: 1 })
      const startedAt = scene.at
      scene.at += 10
      await scene.settle(scene.finished(job, ends.failed(), startedAt))
    })
    const stats = (await workspace.json(['stats'])) as Record<string, unknown>
    const keys = ['at', 'counts', 'queues', 'perSecond', 'waitMs', 'runMs', 'oldestWaitingMs', 'drainsAt', 'windowMs']
    assert.deepEqual(Object.keys(stats).sort(), keys.sort())
    assert.deepEqual(stats.counts, { blocked: 0, queued: 1, running: 0, succeeded: 1, failed: 1, cancelled: 0 })
    assert.deepEqual(stats.waitMs, { p50: 30, p95: 30, p99: 30 })
    assert.deepEqual(stats.runMs, { p50: 0, p95: 10, p99: 10 })
    assert.ok(typeof stats.perSecond === 'number' && stats.perSecond > 0)
    assert.match(String(stats.at), /Z$/)
    assert.match(String(stats.drainsAt), /Z$/)
    assert.match(await workspace.output(['stats']), /^blocked\t0\nqueued\t1\n/)
  })
})

const script = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true
describe('on a terminal', { skip: script ? false : 'there is no script of util-linux here' }, () => {
  const workspace = new Workspace()
  after(() => workspace.remove())

  /** What the command line writes to a terminal of 100 columns, without the returns of its line ends. */
  const onTerminal = (line: string): string => {
    const command = [...program, ...line.split(' ')].map((word) => `'${word}'`).join(' ')
    const { stdout } = spawnSync('script', ['-qec', `stty cols 100; ${command}`, '/dev/null'], {
      cwd: workspace.folder,
      env: { ...workspace.environment(), TERM: 'xterm' },
      encoding: 'utf8',
    })
    return stdout.replaceAll('\r\n', '\n')
  }

  test('jobq ls shows the newest fifty and says so', async () => {
    await withScene(workspace, async (scene) => void (await scene.addAll(Array.from({ length: 51 }, () => ({})))))
    const lines = onTerminal('ls --color never').trimEnd().split('\n')
    assert.equal(lines.length, 52)
    assert.match(lines[0] ?? '', /^ID {2}STATE +TASK +QUEUE +TRIES +CREATED +WHAT$/)
    assert.match(lines[1] ?? '', /^51 {2}queued +work +default +0\/1 .* \{\}$/)
    assert.equal(lines[51], 'The first 50 are shown; --limit 0 shows all.')
    assert.equal(onTerminal('ls --limit 0').trimEnd().split('\n').length, 52)
    assert.equal(onTerminal('ls --limit 2').trimEnd().split('\n').length, 3)
  })

  test('colour means state, unless NO_COLOR or a flag turns it off', async () => {
    await withScene(workspace, async (scene) => void (await scene.runOne(ends.failed())))
    assert.ok(onTerminal('ls --state failed').includes('\u001b[31mfailed\u001b[39m'))
    assert.ok(!onTerminal('ls --state failed --color never').includes('\u001b['))
  })

  test('jobq show tells the timeline in local time', () => {
    assert.match(
      onTerminal('show 1 --color never'),
      /\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +\+[\d.]+m?s +attempt 1 failed/,
    )
  })
})
