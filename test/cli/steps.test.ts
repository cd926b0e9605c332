import assert from 'node:assert/strict'
import { after, afterEach, beforeEach, describe, it } from 'node:test'
import { Workspace } from '../support/cli.ts'

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())
after(() => workspace.remove())

/** Writes a configuration whose steps say on stderr what their options are. */
const configure = (...steps: readonly string[]): string =>
  workspace.write(
    'jobq.config.ts',
    `import { defineConfig, defineStep } from 'jobq'
const tell = (name: string) => (_: object, options: object) => console.error(name, JSON.stringify(options))
export default defineConfig({ steps: [${steps.join(', ')}] })
`,
  )

const health = `defineStep({
  name: 'health',
  requires: ['pool'],
  options: {
    port: { flags: '--health-port <n>', description: 'answer on this port', default: 8080 },
    level: { flags: '-x, --level <word>', description: 'how much', parse: (text) => { if (text !== 'high') throw new Error(text + ' is not high'); return text.toUpperCase() } },
    loud: { flags: '--loud', description: 'say more' },
  },
  start: tell('health'),
})`

describe("the options of the user's steps", () => {
  const values: readonly (readonly [parameters: readonly string[], env: Record<string, string>, seen: object])[] = [
    [[], {}, { port: 8080, loud: false }],
    [['--health-port', '99', '-x', 'high', '--loud'], {}, { port: 99, level: 'HIGH', loud: true }],
    [['--level=high'], { JOBQ_HEALTH_PORT: '12.5', JOBQ_LOUD: 'yes' }, { port: 12.5, level: 'HIGH', loud: true }],
    [['--health-port', '3'], { JOBQ_HEALTH_PORT: '4', JOBQ_LOUD: '' }, { port: 3, loud: false }],
  ]
  for (const [parameters, env, seen] of values) {
    it(`have the values of ${JSON.stringify([parameters, env])}`, async () => {
      configure(health)
      const { code, stderr } = await workspace.run(['run', '--drain', '-c', '1', ...parameters], { env })
      assert.equal(code, 0, stderr)
      assert.deepEqual(JSON.parse(/^health (.*)$/m.exec(stderr)?.[1] ?? ''), seen)
    })
  }

  it('stand in the help under a heading of their own', async () => {
    configure(health)
    const help = await workspace.output(['run', '--help'])
    const [, own = ''] = help.split('Options of the steps in jobq.config.ts:\n')
    assert.match(own, /^ {2}--health-port <n> +answer on this port; default 8080$/m)
    assert.match(own, /^ {2}-x, --level <word> +how much$/m)
    assert.match(own, /^ {2}--loud +say more$/m)
    assert.doesNotMatch(
      await workspace.output(['run', '--help', '--config', workspace.write('none.json', '{}')]),
      /loud/,
    )
  })

  it('leave the help as it is where the configuration does not load', async () => {
    workspace.write('jobq.config.ts', 'export default {')
    assert.match(await workspace.output(['run', '-h']), /--concurrency/)
    assert.equal((await workspace.run(['run', '--loud'])).code, 2)
  })

  it('come from the configuration that --config or its variable names', async () => {
    configure(health)
    const named = workspace.write('other.json', '{}')
    for (const [parameters, env] of [
      [['--config', named], {}],
      [[`--config=${named}`], {}],
      [[], { JOBQ_CONFIG: named }],
    ] as const) {
      const { code, stderr } = await workspace.run([...parameters, 'run', '--loud'], { env })
      assert.equal(code, 2)
      assert.match(stderr, /unknown option '--loud'/)
    }
  })

  it('are settings for jobq config', async () => {
    configure(health)
    const config = (await workspace.json(['config'], { env: { JOBQ_LOUD: '1' } })) as Record<string, unknown>
    assert.deepEqual(config.healthPort, { value: 8080, origin: 'default' })
    assert.deepEqual(config.loud, { value: true, origin: 'environment' })
    assert.deepEqual((config.steps as { value: unknown }).value, ['health'])
  })

  const one = (name: string, flags: string): string =>
    `defineStep({ name: '${name}', options: { it: { flags: '${flags}', description: 'x' } }, start: tell('${name}') })`
  const refused: readonly (readonly [
    what: string,
    steps: readonly string[],
    parameters: readonly string[],
    says: RegExp,
  ])[] = [
    ['an option that nobody has', [health], ['--health-prt', '1'], /unknown option '--health-prt'.*--health-port/],
    ['a value that is no number', [health], ['--health-port', 'x'], /^jobq: --health-port: "x" is not a number$/m],
    ['a value that its parser refuses', [health], ['--level', 'low'], /^jobq: --level: low is not high$/m],
    ['an option without its value', [health], ['--health-port'], /argument missing/],
    [
      'a clash with an option of jobq run',
      [one('a', '--prefetch <n>')],
      [],
      /step "a" adds .* --prefetch, which jobq run has too/,
    ],
    [
      'a clash with a short option',
      [one('a', '-c, --colour <n>')],
      [],
      /step "a" adds the option -c, which jobq run has too/,
    ],
    [
      'a clash with a global option',
      [one('a', '--broker <n>')],
      [],
      /step "a" adds the option --broker, which jobq run has/,
    ],
    ['a clash with the help', [one('a', '--help')], [], /--help, which jobq run has too/],
    [
      'a clash of two steps',
      [one('a', '--it'), one('b', '--it')],
      [],
      /step "b" adds the option --it, which step "a" adds too/,
    ],
    ['flags that are none', [one('a', 'port')], [], /^jobq: step 'a': options\.it: flags must be as in/],
  ]
  for (const [what, steps, parameters, says] of refused) {
    it(`refuse ${what}, before anything starts`, async () => {
      configure(...steps)
      const { code, stderr } = await workspace.run(['run', ...parameters])
      assert.equal(code, 2, stderr)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /online|\{/)
    })
  }
})

describe("jobq steps with the user's", () => {
  it('shows whose they are, what is left out and why', async () => {
    workspace.write(
      'jobq.config.ts',
      `import { defineConfig, defineStep } from 'jobq'
const store = defineStep({ name: 'store', provides: 'storage', start: () => 1 })
export default defineConfig({
  steps: [
    defineStep({ name: 'health', requires: ['pool', store], start: () => 1 }),
    defineStep({ name: 'never', includeIf: () => false, start: () => 1 }),
  ],
  without: ['pruner'],
})
`,
    )
    const lines = (await workspace.output(['steps'])).split('\n')
    assert.ok(lines.includes('health\tpool, storage\tuser\tplanned\t'), lines.join('\n'))
    assert.ok(lines.includes("pruner\tbroker\tbuilt-in\tleft out\tit is in 'without'"))
    assert.ok(lines.includes('never\t\tuser\tleft out\tits includeIf is false'))
    const tree = (await workspace.output(['steps', '--tree'])).split('\n')
    const at = tree.indexOf("health (the user's)")
    assert.notEqual(at, -1, tree.join('\n'))
    assert.ok(tree.slice(at).includes("└─ store (provides storage; the user's)"), tree.join('\n'))
    assert.ok(tree.includes("never (the user's; left out: its includeIf is false)"))
    const dot = await workspace.output(['steps', '--dot'])
    assert.match(dot, /^ {2}"health" \[label="health\\nplanned", shape=box\]$/m)
    assert.match(dot, /^ {2}"health" -> "store"$/m)
    assert.match(dot, /^ {2}"pruner" \[label="pruner\\nleft out", style=dashed\]$/m)
    const documents = (await workspace.json(['steps'])) as Record<string, unknown>[]
    assert.deepEqual(
      documents.find(({ name }) => name === 'store'),
      {
        ...{ name: 'store', provides: 'storage', requires: [], before: [] },
        ...{ origin: 'user', state: 'planned', reason: null },
      },
    )
  })

  it('exits 2 with what does not fit together', async () => {
    configure(`defineStep({ name: 'health', requires: ['storage'], start: () => 1 })`)
    const { code, stderr } = await workspace.run(['steps'])
    assert.deepEqual([code, stderr], [2, "jobq: step 'health' requires 'storage', which is not there\n"])
  })

  const sockets = process.platform === 'win32' ? { skip: 'workers take no commands here' } : {}
  it('--worker shows their states in a worker that runs', sockets, async () => {
    configure(health, `defineStep({ name: 'extra', start: () => 1 })`)
    const worker = workspace.start(['run', '-c', '1', '--name', 'web'])
    await worker.until(/is online/)
    const steps = (await workspace.json(['steps', '--worker', 'web'])) as Record<string, unknown>[]
    const found = steps.find(({ name }) => name === 'extra')
    assert.deepEqual([found?.origin, found?.state, found?.reason], ['user', 'started', null])
    assert.match(await workspace.output(['steps', '--worker', 'web', '--tree']), /^extra \(the user's; started\)$/m)
    assert.equal((await workspace.run(['steps', '--worker', 'wbe'])).code, 3)
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
  })

  it('a start that hangs does not keep TERM from ending the worker', async () => {
    configure(
      `defineStep({ name: 'slow', requires: ['pool'], start: () => { console.error('begun'); return new Promise(() => {}) } })`,
    )
    const worker = workspace.start(['run', '-c', '1'])
    await worker.until('begun')
    worker.child.kill('SIGTERM')
    const { code, stderr } = await worker.ended
    assert.equal(code, 0, stderr)
    assert.doesNotMatch(stderr, /is online/)
    assert.deepEqual(await workspace.json(['workers']), [])
  })

  it('a start that fails is named, and the worker exits 1', async () => {
    configure(`defineStep({ name: 'health', requires: ['pool'], start: () => { throw new Error('no port') } })`)
    const { code, stderr } = await workspace.run(['run', '-c', '1'])
    assert.equal(code, 1, stderr)
    assert.match(stderr, /^jobq: step 'health' has not started: no port$/m)
    assert.deepEqual(await workspace.json(['workers']), [])
  })
})
