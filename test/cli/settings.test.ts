import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { absoluteBroker, defaultBroker } from '../../cli/broker-url.ts'
import { Workspace } from '../support/cli.ts'

const workspace = new Workspace()
after(() => workspace.remove())

const config = async (
  parameters: readonly string[],
  options: Parameters<Workspace['run']>[1] = {},
): Promise<Record<string, { value: unknown; origin: string }>> =>
  (await workspace.json(['config', ...parameters], options)) as Record<string, { value: unknown; origin: string }>

describe('jobq config', () => {
  it('takes a flag before the environment, that before the file, that before the default', async () => {
    const folder = path.join(workspace.folder, 'precedence')
    workspace.write('precedence/jobq.config.json', '{"broker": "file.db", "worker": {"grace": "1m", "concurrency": 3}}')
    const file = path.join(folder, 'jobq.config.json')
    const everything = await config(['-b', 'flag.db'], {
      cwd: folder,
      env: { JOBQ_BROKER: 'env.db', JOBQ_GRACE: '2m' },
    })
    assert.deepEqual(everything.broker, { value: path.join(folder, 'flag.db'), origin: 'flag' })
    assert.deepEqual(everything.grace, { value: '2m', origin: 'environment' })
    assert.deepEqual(everything.concurrency, { value: 3, origin: file })
    assert.deepEqual(everything.killAfter, { value: '5s', origin: 'default' })
    const less = await config([], { cwd: folder, env: { JOBQ_BROKER: '' } })
    assert.deepEqual(less.broker, { value: path.join(folder, 'file.db'), origin: file })
    assert.deepEqual(less.grace, { value: '1m', origin: file })
  })

  const files: readonly (readonly [string, string])[] = [
    [
      'jobq.config.ts',
      "import { defineConfig } from 'jobq'\nexport default defineConfig({ maxPayload: '64k' as string })",
    ],
    ['jobq.config.js', "export default { maxPayload: '64k' }"],
    ['jobq.config.mjs', "export default { maxPayload: '64k' }"],
    ['jobq.config.json', '{"maxPayload": "64k"}'],
  ]
  for (const [name, text] of files) {
    it(`reads ${name} of the working directory, and by --config from elsewhere`, async () => {
      const file = workspace.write(`found-${name}/${name}`, text)
      const cwd = path.dirname(file)
      assert.deepEqual((await config([], { cwd })).maxPayload, { value: 65_536, origin: file })
      assert.deepEqual((await config(['--config', file])).maxPayload, { value: 65_536, origin: file })
      assert.deepEqual((await config([], { env: { JOBQ_CONFIG: file } })).maxPayload, { value: 65_536, origin: file })
    })
  }

  it('shows of consumers and cameras what they do, and nothing that is secret', async () => {
    const file = workspace.write(
      'consumers/jobq.config.mjs',
      `export default {
  consumers: [
    { name: 'chat', events: 'job.failed', webhook: { url: 'https://chat.example.org/hook/s3cret', secret: 's3cret', headers: { authorization: 's3cret' } } },
    { name: 'count', retries: 2, handle() {} },
  ],
  cameras: [{ every: '1m', command: ['look'] }, { every: '2s', shutter() {} }],
}`,
    )
    const { consumers, cameras } = await config(['--config', file])
    const usual = { timeout: '30s', backoff: 'exponential:1s..1m' }
    const webhook = { server: 'https://chat.example.org', secret: 'set', headers: ['authorization'] }
    assert.deepEqual(consumers?.value, [
      { name: 'chat', events: ['job.failed'], retries: 'for ever', webhook, ...usual },
      { name: 'count', events: 'all', retries: 2, handle: 'a function', ...usual },
    ])
    assert.deepEqual(cameras?.value, [
      { every: '1m', timeout: '30s', command: ['look'] },
      { every: '2s', timeout: '30s', shutter: 'a function' },
    ])
  })

  it('takes paths in a file as relative to the file', async () => {
    const file = workspace.write('relative/jobq.config.json', '{"broker": ["sqlite:a.db"], "tasks": "jobs"}')
    const effective = await config(['--config', file], { env: { JOBQ_BROKER: undefined } })
    assert.equal(effective.broker?.value, `sqlite:${path.join(path.dirname(file), 'a.db')}`)
    assert.deepEqual(effective.tasks?.value, [path.join(path.dirname(file), 'jobs')])
  })

  const refused: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    ['an unknown key', '{"wokrer": {}}', /"wokrer".*did you mean worker\?/],
    ['an unknown key inside', '{"worker": {"concurency": 2}}', /"worker\.concurency".*did you mean concurrency\?/],
    ['a key of another version', '{"brokers": {}}', /"brokers" is no key of this version/],
    ['an encryption without a key', '{"encrypt": {}}', /encrypt\.keyFile/],
    ['a requirement that is none', '{"require": "encrypted"}', /require: "encrypted"/],
    ['an age of results that is none', '{"retention": {"results": "old"}}', /retention\.results: "old"/],
    ['a wrong number', '{"worker": {"concurrency": 0}}', /worker\.concurrency: 0 is not a whole number from 1/],
    ['an autoscale that is none', '{"worker": {"autoscale": 4}}', /worker\.autoscale: 4 is not a pair/],
    ['an autoscale upside down', '{"worker": {"autoscale": [2, 4]}}', /worker\.autoscale: 2,4: MAX/],
    ['two sizes of a pool', '{"worker": {"autoscale": [4, 2], "concurrency": 3}}', /worker\.autoscale: a pool/],
    ['a wrong size of memory', '{"worker": {"maxMemoryPerChild": "big"}}', /worker\.maxMemoryPerChild: "big"/],
    ['an autoscaler that is no function', '{"autoscaler": 5}', /autoscaler: 5 is not a function/],
    ['a wrong duration', '{"worker": {"grace": "soon"}}', /worker\.grace: "soon" is not a duration/],
    [
      'a consumer that does nothing',
      '{"consumers": [{"name": "x"}]}',
      /consumers\[0\]: it needs exactly one of handle, /,
    ],
    [
      'a consumer of a type that there is not',
      '{"consumers": [{"events": "job.exploded", "file": "x"}]}',
      /consumers\[0\]\.events: unknown event type 'job\.exploded'/,
    ],
    [
      'two consumers of one name',
      '{"consumers": [{"name": "x", "file": "a"}, {"name": "x", "file": "b"}]}',
      /consumers: two have the name "x"/,
    ],
    [
      'a webhook without a secret',
      '{"consumers": [{"webhook": {"url": "http://x.org"}}]}',
      /consumers\[0\]\.webhook\.secret: it is missing/,
    ],
    [
      'a webhook with a password',
      '{"consumers": [{"webhook": {"url": "http://me:pw@x.org", "secret": "s"}}]}',
      /consumers\[0\]\.webhook\.url: a name and password belong into headers/,
    ],
    [
      'a webhook of another kind',
      '{"consumers": [{"webhook": {"url": "ftp://x.org", "secret": "s"}}]}',
      /consumers\[0\]\.webhook\.url: it is not http: or https:/,
    ],
    [
      'an empty command',
      '{"consumers": [{"command": []}]}',
      /consumers\[0\]\.command: it is empty: it needs a program and its parameters/,
    ],
    ['a camera without a period', '{"cameras": [{"file": "x"}]}', /cameras\[0\]\.every: it is missing/],
    [
      'a camera that is too fast',
      '{"cameras": [{"every": "1ms", "file": "x"}]}',
      /cameras\[0\]\.every: it is below 100ms/,
    ],
    ['a negative duration', '{"retention": {"failed": -1}}', /retention\.failed: -1 is not a duration/],
    ['a wrong size', '{"maxResult": "big"}', /maxResult: "big" is not a size/],
    ['no time', '{"worker": {"timeLimit": 0}}', /worker\.timeLimit: 0 is no time limit/],
    [
      'a soft limit that never comes',
      '{"taskOptions": {"a": {"softTimeLimit": "5s", "timeLimit": "5s"}}}',
      /taskOptions\.a\.softTimeLimit: 5s is not below taskOptions\.a\.timeLimit, which is 5s/,
    ],
    ['a signal that nobody catches', '{"defaults": {"softSignal": "KILL"}}', /defaults\.softSignal: SIGKILL cannot be/],
    ['no signal', '{"defaults": {"softSignal": "SIGHELLO"}}', /defaults\.softSignal: "SIGHELLO" is not the name of a/],
    ['a wrong backoff', '{"defaults": {"backoff": "often"}}', /defaults\.backoff: "often" is not a backoff/],
    ['a wrong name', '{"taskOptions": {"a b": {}}}', /taskOptions: "a b" is not a name/],
    ['a wrong member', '{"taskOptions": {"a": {"priority": 10}}}', /taskOptions\.a\.priority: 10 is not/],
    ['a list', '[]', /the configuration: a list is not an object/],
    ['null', 'null', /the configuration: null is not an object/],
    ['broken JSON', '{"worker"', /jobq\.config\.json: /],
    ['a wrong element', '{"tasks": ["a", 5]}', /tasks\[1\]: 5 is not text/],
  ]
  for (const [what, text, message] of refused) {
    it(`refuses ${what}, naming file and place`, async () => {
      const file = workspace.write('refused/jobq.config.json', text)
      const ended = await workspace.run(['config'], { cwd: path.dirname(file) })
      assert.equal(ended.code, 2, ended.stderr)
      assert.match(ended.stderr, message)
      assert.ok(ended.stderr.includes(file), ended.stderr)
      assert.equal(ended.stdout, '')
    })
  }

  it('names the line of a configuration that does not load', async () => {
    const file = workspace.write('broken/jobq.config.ts', 'export default {\n  worker: {\n')
    const ended = await workspace.run(['config'], { cwd: path.dirname(file) })
    assert.equal(ended.code, 2)
    assert.ok(ended.stderr.includes(file), ended.stderr)
  })

  it('refuses a missing configuration file and one without a default export', async () => {
    const missing = await workspace.run(['config', '--config', 'nowhere.json'])
    assert.equal(missing.code, 2)
    assert.match(missing.stderr, /nowhere\.json/)
    const empty = await workspace.run(['config', '--config', workspace.write('empty.mjs', 'export const a = 1')])
    assert.equal(empty.code, 2)
    assert.match(empty.stderr, /empty\.mjs: it has no default export/)
  })

  const variables: readonly (readonly [string, string])[] = [
    ['JOBQ_CONCURRENCY', '0'],
    ['JOBQ_CONCURRENCY', 'many'],
    ['JOBQ_AUTOSCALE', '2,4'],
    ['JOBQ_AUTOSCALE_KEEPALIVE', '-1s'],
    ['JOBQ_MAX_TASKS_PER_CHILD', '0'],
    ['JOBQ_MAX_MEMORY_PER_CHILD', 'big'],
    ['JOBQ_GRACE', '-1s'],
    ['JOBQ_KILL_AFTER', 'NaN'],
    ['JOBQ_TIME_LIMIT', '0'],
    ['JOBQ_SOFT_TIME_LIMIT', '-1'],
    ['JOBQ_PREFETCH', '1.5'],
    ['JOBQ_QUEUES', 'a b'],
    ['JOBQ_QUEUES', 'a,,b'],
    ['JOBQ_QUEUES', 'a:0'],
    ['JOBQ_QUEUES', 'a,a'],
    ['JOBQ_NAME', '../x'],
    ['JOBQ_DRAIN', 'some'],
    ['JOBQ_LOG_LEVEL', 'loud'],
    ['JOBQ_LOG_FORMAT', 'xml'],
    ['JOBQ_COLOR', 'pink'],
    ['JOBQ_JSON', 'maybe'],
    ['JOBQ_BROKER', ';'],
  ]
  for (const [name, value] of variables) {
    it(`refuses ${name}=${value}`, async () => {
      const ended = await workspace.run(['config'], { env: { [name]: value } })
      assert.equal(ended.code, 2, ended.stdout)
      assert.ok(ended.stderr.includes(`${name}: `), ended.stderr)
      assert.equal(ended.stdout, '')
      assert.deepEqual(
        fs.readdirSync(workspace.folder).filter((file) => file.endsWith('.db')),
        [],
      )
    })
  }
})

describe('the default broker', () => {
  it('is in XDG_DATA_HOME', () =>
    assert.equal(defaultBroker({ XDG_DATA_HOME: '/data', HOME: '/h' }), '/data/jobq/jobq.db'))
  it('ignores a relative XDG_DATA_HOME, as the specification says', () => {
    assert.ok(!defaultBroker({ XDG_DATA_HOME: 'data', HOME: '/h' }).includes('data'))
  })
  const asRoot = process.getuid?.() === 0
  it('is in /var/lib for root, in the home directory for others', () => {
    assert.equal(defaultBroker({ HOME: '/h' }), asRoot ? '/var/lib/jobq/jobq.db' : '/h/.local/share/jobq/jobq.db')
  })
})

describe('absoluteBroker', () => {
  const table: readonly (readonly [string, string])[] = [
    ['a.db', '/here/a.db'],
    ['../a.db', '/a.db'],
    ['sqlite:a b.db', 'sqlite:/here/a b.db'],
    ['sqlite:/x/a.db', 'sqlite:/x/a.db'],
    ['redis://h:1', 'redis://h:1'],
    ['a.db; redis://h', '/here/a.db;redis://h'],
  ]
  for (const [url, absolute] of table) it(`reads ${url}`, () => assert.equal(absoluteBroker(url, '/here'), absolute))
})
