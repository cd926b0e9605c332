import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { program, Workspace } from '../support/cli.ts'

const workspace = new Workspace()
after(() => workspace.remove())

type Json = Record<string, unknown>

const add = async (parameters: readonly string[], options: Parameters<Workspace['run']>[1] = {}): Promise<number> => {
  const text = await workspace.output(['enqueue', ...parameters], options)
  assert.match(text, /^\d+\n$/)
  return Number(text)
}
const show = async (id: number): Promise<Json> => (await workspace.json(['show', String(id), '--raw'])) as Json
const count = async (): Promise<number> => ((await workspace.json(['ls'])) as unknown[]).length

describe('jobq enqueue', () => {
  it('makes the broker for its owner alone, whatever the umask', async () => {
    const folder = path.join(workspace.folder, 'new', 'deep')
    const line = 'umask 0; exec "$@" -b "$0" enqueue -- true'
    const { status, stderr } = spawnSync('/bin/bash', ['-c', line, path.join(folder, 'q.db'), ...program], {
      env: workspace.environment(),
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700)
    assert.equal(fs.statSync(path.join(folder, 'q.db')).mode & 0o777, 0o600)
  })

  it('adds a command as its words, without a shell, where it stands', async () => {
    const job = await show(await add(['--', 'printf', '%s', '$HOME; a "b" *', '--json', '-x']))
    assert.equal(job.task, 'exec')
    assert.deepEqual(job.payload, {
      argv: ['printf', '%s', '$HOME; a "b" *', '--json', '-x'],
      cwd: fs.realpathSync(workspace.folder),
    })
  })

  it('adds a task with its payload from the line, from stdin and from a file', async () => {
    const payload = { to: 'änn', list: [1, 2.5, null, 1e21] }
    const text = JSON.stringify(payload)
    const file = workspace.write('letter.json', text)
    for (const [word, input] of [
      [text, ''],
      ['-', text],
      [`@${file}`, ''],
    ] as const) {
      assert.deepEqual((await show(await add(['mail/send', word], { input }))).payload, payload)
    }
    assert.equal((await show(await add(['mail/send']))).payload, null)
  })

  it('keeps every option', async () => {
    const id = await add([
      ...[
        '-q',
        'media',
        '-p',
        '7',
        '--delay',
        '1h',
        '--expires',
        '2h',
        '--retries',
        '3',
        '--backoff',
        'fixed:30s,jitter',
      ],
      ...[
        '--unique',
        'a key',
        '--tag',
        'x',
        '--tag',
        'y',
        '--name',
        'my label',
        '--meta',
        'a=1',
        '--meta',
        'b=c=d',
        'a/task',
        '{}',
      ],
    ])
    const job = await show(id)
    const at = (name: string): number => Date.parse(String(job[name]))
    assert.equal(at('dueAt') - at('createdAt'), 3_600_000)
    assert.equal(at('expiresAt') - at('createdAt'), 7_200_000)
    const { queue, priority, maxAttempts, unique, tags, name, meta, label } = job
    assert.deepEqual(
      { queue, priority, maxAttempts, unique, tags, name, meta, label },
      {
        queue: 'media',
        priority: 7,
        maxAttempts: 4,
        unique: 'a key',
        tags: ['x', 'y'],
        name: 'my label',
        meta: { a: '1', b: 'c=d' },
        label: 'scheduled',
      },
    )
  })

  it('takes an instant', async () => {
    assert.equal((await show(await add(['--at', '@1893484800', '--', 'true']))).dueAt, '2030-01-01T08:00:00.000Z')
  })

  it('gives a command variables, a folder, its input and a shell', async () => {
    const file = workspace.write('input.txt', 'first\n')
    const id = await add(
      ['--env', 'SAID', '--env', 'OTHER=a=b', '--cwd', '/tmp', '--stdin', file, '--shell', 'cat | tr a-z A-Z'],
      { env: { SAID: 'here', UNSAID: 'secret' } },
    )
    workspace.write('input.txt', 'changed later\n')
    assert.deepEqual((await show(id)).payload, {
      argv: ['/bin/sh', '-c', 'cat | tr a-z A-Z'],
      cwd: '/tmp',
      env: { SAID: 'here', OTHER: 'a=b' },
      stdin: 'first\n',
    })
    const all = (await show(await add(['--env-all', '--', 'true'], { env: { SAID: 'here' } }))).payload as { env: Json }
    assert.equal(all.env.SAID, 'here')
    assert.deepEqual(
      Object.keys(all.env).filter((name) => name.startsWith('JOBQ_')),
      [],
    )
    const piped = await show(await add(['--stdin', '-', '--', 'cat'], { input: 'from a pipe' }))
    assert.equal((piped.payload as Json).stdin, 'from a pipe')
  })

  it('answers a taken key as --on-conflict says', async () => {
    const taken = ['--unique', 'taken', '--delay', '1h']
    const holder = await add([...taken, 'a/task', '1'])
    assert.equal(await add([...taken, 'a/task', '2']), holder)
    const ignored = (await workspace.json(['enqueue', ...taken, 'a/task', '2'])) as Json
    assert.deepEqual([ignored.id, ignored.duplicate], [holder, true])
    assert.equal((await show(holder)).payload, 1)
    await add([...taken, '--on-conflict', 'replace', 'a/task', '3'])
    assert.equal((await show(holder)).payload, 3)
    const before = await count()
    const failed = await workspace.run(['enqueue', ...taken, '--on-conflict', 'fail', 'a/task'])
    assert.equal(failed.code, 5)
    assert.match(failed.stderr, new RegExp(`job ${holder}`))
    assert.equal(await count(), before)
  })

  it('waits for other jobs, which must exist', async () => {
    const later = ['--delay', '1h', '--', 'true']
    const [a, b, c] = [await add(later), await add(later), await add(later)]
    const job = await show(await add(['--after', `${a},${b}`, '--after-any', String(c), '--', 'true']))
    assert.deepEqual([job.state, job.after, job.afterAny], ['blocked', [a, b], [c]])
    const before = await count()
    const missing = await workspace.run(['enqueue', '--after', '999999', '--', 'true'])
    assert.equal(missing.code, 3)
    assert.match(missing.stderr, /999999/)
    assert.equal(await count(), before)
  })

  it('says in JSON what it did', async () => {
    const added = (await workspace.json(['enqueue', '--delay', '1h', '--', 'true'])) as Json
    assert.deepEqual(Object.keys(added), ['id', 'duplicate', 'state', 'dueAt'])
    assert.match(String(added.dueAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  it('is also called add', async () => {
    assert.match(await workspace.output(['add', '--', 'true']), /^\d+\n$/)
  })

  it('shows a hostile label escaped', async () => {
    const label = 'a\u001b[2J\u202egnp\r\nb'
    await add(['--name', label, '--', 'true'])
    const list = await workspace.output(['ls', '--limit', '1'])
    assert.doesNotMatch(list.slice(0, -1), /[\u001b\u202e\r\n]/)
    assert.match(list, /a\\x1b\[2J\\u202egnp\\r\\nb/)
    const [job] = (await workspace.json(['ls', '--limit', '1'])) as Json[]
    assert.equal(job?.name, label)
  })
})

describe('jobq enqueue --batch', () => {
  const batch = (lines: readonly string[], parameters: readonly string[] = []) =>
    workspace.run(['enqueue', '--batch', ...parameters], { input: lines.join('\n') })

  it('adds a job a line and prints the ids in order', async () => {
    const lines = [
      '{"task":"a/task","payload":{"n":1},"priority":9,"delay":90,"tags":["x"],"meta":{"k":"v"},"retries":2}',
      '',
      '{"argv":["echo","hi"],"env":{"A":"b"},"cwd":"/tmp","queue":"own"}',
      '{"shell":"a | b","expires":"5m","onConflict":"ignore","unique":"batch"}',
    ]
    const { code, stdout, stderr } = await batch(lines, ['-q', 'bulk', '--env', 'B=c'])
    assert.equal(code, 0, stderr)
    const ids = stdout.trim().split('\n').map(Number)
    assert.equal(ids.length, 3)
    const [task, argv, shell] = await Promise.all(ids.map(show))
    assert.equal(Date.parse(String(task?.dueAt)) - Date.parse(String(task?.createdAt)), 90_000)
    assert.deepEqual(
      [task?.queue, task?.priority, task?.tags, task?.meta, task?.maxAttempts, task?.payload],
      ['bulk', 9, ['x'], { k: 'v' }, 3, { n: 1 }],
    )
    assert.deepEqual([argv?.queue, argv?.payload], ['own', { argv: ['echo', 'hi'], cwd: '/tmp', env: { A: 'b' } }])
    assert.deepEqual(
      { ...Object(shell?.payload), cwd: null },
      { argv: ['/bin/sh', '-c', 'a | b'], cwd: null, env: { B: 'c' } },
    )
  })

  it('answers with a line of JSON each', async () => {
    const { stdout } = await batch(['{"task":"t"}', '{"task":"t"}'], ['--json'])
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Json)
    assert.deepEqual(
      answers.map(({ duplicate }) => duplicate),
      [false, false],
    )
  })

  it('adds nothing and prints nothing for no line', async () => {
    const before = await count()
    const { code, stdout } = await batch([''])
    assert.deepEqual([code, stdout, await count()], [0, '', before])
  })

  const refused: readonly (readonly [line: string, message: RegExp])[] = [
    ['{"task":"t"', /line 2: not JSON/],
    ['[]', /line 2: it is not a JSON object/],
    ['null', /line 2: it is not a JSON object/],
    ['{}', /line 2: a job needs one of task, argv and shell/],
    ['{"task":"t","argv":["a"]}', /line 2: a job needs one of/],
    ['{"task":"t","prioriti":1}', /line 2: "prioriti" .*did you mean priority\?/],
    ['{"task":"t","priority":"high"}', /line 2: priority: "high"/],
    ['{"task":"t","priority":10}', /line 2: priority: 10/],
    ['{"task":"t","delay":-1}', /line 2: delay: "-1"/],
    ['{"task":"t","delay":"soon"}', /line 2: delay: "soon"/],
    ['{"task":"t","delay":1,"at":"10:00"}', /line 2: at: not together with delay/],
    ['{"task":"t","tags":"x"}', /line 2: tags: "x" is not a list/],
    ['{"task":"t","cwd":"/"}', /line 2: cwd: only for commands/],
    ['{"task":"../t"}', /line 2: "\.\.\/t" is not a name/],
    ['{"task":5}', /line 2: 5 is not a name/],
    ['{"task":"t","payload":{"a":1e999}}', /line 2: .*\$\.payload\.a/],
    ['{"argv":"echo"}', /line 2: argv/],
    ['{"argv":[]}', /line 2: argv/],
    ['{"argv":["a"],"payload":1}', /line 2: payload: only for a task/],
    ['{"argv":["a"],"env":{"JOBQ_X":"1"}}', /line 2: env: "JOBQ_X"/],
    ['{"argv":["a"],"stdin":"-"}', /line 2: stdin: /],
    ['{"argv":["a"],"envAll":1}', /line 2: envAll: 1/],
    ['{"task":"t","after":[0]}', /line 2: after: 0/],
  ]
  for (const [line, message] of refused) {
    it(`refuses ${line} with its line, and adds none`, async () => {
      const before = await count()
      const { code, stdout, stderr } = await batch(['{"task":"t"}', line, '{"task":"t"}'])
      assert.equal(code, 2, stderr)
      assert.match(stderr, message)
      assert.equal(stdout, '')
      assert.equal(await count(), before)
    })
  }

  it('adds none when one waits for a job that does not exist', async () => {
    const before = await count()
    const { code } = await batch(['{"task":"t"}', '{"task":"t","after":[999999]}'])
    assert.deepEqual([code, await count()], [3, before])
  })

  it('refuses what is not UTF-8', async () => {
    const { code, stderr } = await workspace.run(['enqueue', '--batch'], { input: Buffer.from([0x22, 0xff, 0x22]) })
    assert.equal(code, 2)
    assert.match(stderr, /not UTF-8/)
  })

  it('takes a hundred thousand jobs at once', async () => {
    const file = path.join(workspace.folder, 'large.db')
    const input = '{"task":"t","payload":{"n":1}}\n'.repeat(100_000)
    const { code, stdout } = await workspace.run(['-b', file, 'enqueue', '--batch'], { input })
    assert.equal(code, 0)
    assert.equal(stdout.trim().split('\n').length, 100_000)
  })
})
