// From the command line: a worker that is asked by HTTP, a file for node_exporter, and the dashboard of the examples.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { load as loadYaml } from 'js-yaml'
import { type Running, Workspace } from '../support/cli.ts'
import { figureOf, type Line, parsePrometheus } from '../support/prometheus.ts'
import { readSpans, sdkModule } from '../support/spans.ts'
import { until } from '../support/until.ts'

const examples = path.join(path.dirname(path.dirname(import.meta.dirname)), 'examples', 'monitoring')

const addressOf = async (worker: Running): Promise<string> => {
  const said = await worker.until(/metrics and health are at http:\S+\n/)
  return /metrics and health are at (http:\S+)\n/.exec(said)?.[1] ?? ''
}

const get = async (url: string, token?: string): Promise<{ status: number; text: string }> => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(url, { headers })
  return { status: response.status, text: await response.text() }
}

describe('jobq run --http', () => {
  const workspace = new Workspace()
  let worker: Running
  let url = ''
  let lines: Line[] = []

  before(async () => {
    workspace.write('tasks/fail.js', "export default () => { throw new Error('no') }")
    workspace.write('tasks/die.js', "export default () => { process.kill(process.pid, 'SIGKILL') }")
    worker = workspace.start(['run', '-c', '2', '--http', '0', '--metrics-textfile', 'jobq.prom', '--grace', '60s'])
    url = await addressOf(worker)
    await worker.until('is online')
    await workspace.output(['enqueue', '--wait', '--', 'true'])
    await workspace.run(['enqueue', 'fail', '--wait'])
    // Some names are told only once there is something of their kind.
    await workspace.run(['enqueue', 'die', '--wait'])
    lines = await until('the exit of a child', async () => {
      const found = parsePrometheus((await get(`${url}/metrics`)).text)
      return figureOf(found, 'jobq_child_exits_total', { reason: 'died' }) === 3 && found
    })
  })
  after(() => workspace.remove())

  it('answers for this machine only, with what happened', async () => {
    assert.match(url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
    assert.equal(figureOf(lines, 'jobq_jobs_finished_total', { task: 'exec', state: 'succeeded' }), 1)
    assert.equal(figureOf(lines, 'jobq_jobs_finished_total', { task: 'fail', state: 'failed' }), 1)
    assert.deepEqual(JSON.parse((await get(`${url}/healthz`)).text).status, 'working')
    assert.equal((await get(`${url}/readyz`)).status, 200)
  })

  it('writes the file for node_exporter beside it', async () => {
    const file = path.join(workspace.folder, 'jobq.prom')
    const own = parsePrometheus(fs.readFileSync(file, 'utf8'))
    assert.equal(figureOf(own, 'jobq_broker_up'), 1)
    assert.ok(own.every(({ name }) => name.startsWith('jobq_')))
  })

  const known = (): Map<string, Set<string>> => {
    const labels = new Map<string, Set<string>>()
    for (const line of lines) {
      const names = labels.get(line.name) ?? new Set(['job', 'instance'])
      for (const name of Object.keys(line.labels)) names.add(name)
      labels.set(line.name, names)
    }
    return labels
  }

  /** Checks that a query asks for names that are told, with labels that they have, and leaves nothing open. */
  const check = (query: string): number => {
    const told = known()
    const asked = [...query.matchAll(/\b((?:jobq|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)]
    for (const [, name = '', selector = ''] of asked) {
      assert.ok(told.has(name), `no worker tells ${name}: ${query}`)
      for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)"/g)) {
        assert.ok(told.get(name)?.has(label), `${name} has no label ${label}: ${query}`)
      }
    }
    for (const [, list = ''] of query.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of list.split(/,\s*/)) {
        const having = asked.filter(([, name = '']) => told.get(name)?.has(label))
        assert.ok(having.length > 0, `nothing has a label ${label}: ${query}`)
      }
    }
    const opened = query.match(/[({[]/g)?.length ?? 0
    assert.equal(query.match(/[)}\]]/g)?.length ?? 0, opened, `something is left open: ${query}`)
    return asked.length
  }

  it('tells all that the dashboard of the examples asks for', () => {
    const dashboard = JSON.parse(fs.readFileSync(path.join(examples, 'grafana-dashboard.json'), 'utf8'))
    const taken = new Set<string>()
    const ids = new Set<number>()
    let queries = 0
    for (const { id, type, title, gridPos, targets = [] } of dashboard.panels) {
      assert.ok(!ids.has(id), `two panels have the id ${id}`)
      ids.add(id)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          assert.ok(x < 24 && !taken.has(`${x} ${y}`), `${title} lies on another panel, or outside`)
          taken.add(`${x} ${y}`)
        }
      }
      assert.equal(targets.length > 0, type !== 'row', title)
      for (const { expr, datasource } of targets) {
        assert.equal(datasource.uid, ['$', '{datasource}'].join(''))
        queries += check(expr)
      }
    }
    for (const { query } of dashboard.templating.list.slice(1)) queries += check(query.query.replace(/, \w+\)/, ')'))
    assert.ok(queries > 40, `only ${queries}`)
  })

  it('tells all that the alerts of the examples ask for', () => {
    const rules = loadYaml(fs.readFileSync(path.join(examples, 'prometheus-alerts.yml'), 'utf8')) as {
      groups: { rules: { expr: string }[] }[]
    }
    const checked = rules.groups.flatMap((group) => group.rules.map(({ expr }) => check(expr)))
    assert.ok(checked.length >= 5 && checked.every((count) => count > 0))
  })

  it('is not ready any more, yet alive, while it finishes what runs', async () => {
    await workspace.output(['enqueue', '--', 'sh', '-c', 'until test -e gate; do sleep 0.05; done'])
    await until('the job to run', async () =>
      ((await workspace.json(['ls'])) as { state: string }[]).some(({ state }) => state === 'running'),
    )
    worker.child.kill('SIGTERM')
    const ready = await until('the stop', async () => {
      const answer = await get(`${url}/readyz`)
      return answer.status === 503 && answer
    })
    assert.deepEqual(JSON.parse(ready.text).status, 'stopping')
    assert.equal((await get(`${url}/healthz`)).status, 200)
    workspace.write('gate', '')
    assert.equal((await worker.ended).code, 0)
    assert.equal(fs.existsSync(path.join(workspace.folder, 'jobq.prom')), false)
  })
})

describe('a trace', () => {
  const workspace = new Workspace()
  after(() => workspace.remove())

  it('goes from a shell through a job and its task to a command', async () => {
    const file = path.join(workspace.folder, 'spans')
    workspace.write('tasks/_sdk.js', sdkModule(file))
    workspace.write(
      'tasks/outer.js',
      "import './_sdk.js'\nexport default (payload, job) => job.enqueue(['sh', '-c', 'echo $TRACEPARENT'])",
    )
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const env = { TRACEPARENT: `00-${traceId}-b7ad6b7169203331-01` }
    await workspace.output(['enqueue', 'outer'], { env })
    await workspace.output(['run', '--drain', '-c', '1'])
    const spans = readSpans(file)
    assert.deepEqual(spans.map(({ name }) => name).sort(), ['enqueue exec', 'process exec', 'process outer'])
    const spanIdOf = (name: string) => spans.find((span) => span.name === name)?.spanId
    for (const span of spans) assert.equal(span.traceId, traceId)
    assert.deepEqual(spans.map(({ name, parent }) => [name, parent]).sort(), [
      ['enqueue exec', spanIdOf('process outer')],
      ['process exec', spanIdOf('enqueue exec')],
      ['process outer', 'b7ad6b7169203331'],
    ])
    assert.equal(await workspace.output(['logs', '2']), `00-${traceId}-${spanIdOf('process exec')}-01\n`)
  })
})

describe('where a worker listens', () => {
  const workspace = new Workspace()
  after(() => workspace.remove())

  it('comes from the configuration with its token, or the environment, and jobq config keeps the token to itself', async () => {
    const http = { listen: '127.0.0.1:0', token: 'from-the-file' }
    const metrics = { textfile: 'figures.prom', every: '10s' }
    const file = workspace.write('jobq.config.json', JSON.stringify({ http, metrics }))
    const shown = await workspace.output(['config', '--json'])
    assert.doesNotMatch(shown, /from-the-file/)
    const settings = JSON.parse(shown)
    assert.deepEqual(settings.http, { value: '127.0.0.1:0', origin: file })
    assert.deepEqual(settings.httpToken, { value: 'set', origin: file })
    assert.equal(settings.metricsTextfile.value, path.join(workspace.folder, 'figures.prom'))
    const worker = workspace.start(['run', '-c', '1'], { env: { JOBQ_HTTP_TOKEN: 'from-outside' } })
    const url = await addressOf(worker)
    assert.equal((await get(`${url}/metrics`)).status, 401)
    assert.equal((await get(`${url}/metrics`, 'from-the-file')).status, 401)
    assert.equal((await get(`${url}/metrics`, 'from-outside')).status, 200)
    const second = await workspace.run(['run', '-c', '1', '--http', new URL(url).port])
    assert.equal(second.code, 75)
    assert.match(second.stderr, /http: cannot listen on 127\.0\.0\.1:\d+: the port is taken/)
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
  })

  const wrong: readonly (readonly [parameters: readonly string[], message: RegExp])[] = [
    [['--http', '65536'], /--http: "65536" is not \[HOST:\]PORT/],
    [['--http', ':9464'], /--http: ":9464" is not/],
    [['--http', 'a b:1'], /--http: "a b:1" is not/],
    [['--http', '::1:1'], /--http: "::1:1" is not/],
    [['--metrics-textfile', 'jobq.txt'], /--metrics-textfile: "jobq.txt" does not end in \.prom/],
  ]
  for (const [parameters, message] of wrong) {
    it(`is refused as ${parameters.join(' ')}`, async () => {
      const ended = await workspace.run(['run', ...parameters])
      assert.equal(ended.code, 2)
      assert.match(ended.stderr, message)
    })
  }

  const wrongFiles: readonly (readonly [text: string, message: RegExp])[] = [
    ['{"http": {}}', /http\.listen: it is missing/],
    ['{"http": {"listen": "x"}}', /http\.listen: "x" is not \[HOST:\]PORT/],
    ['{"http": {"listen": 1, "token": "a b"}}', /http\.token: a token is visible ASCII characters/],
    ['{"http": {"port": 1}}', /"http\.port" is no key/],
    ['{"metrics": {"textfile": "a"}}', /metrics\.textfile: "a" does not end in \.prom/],
    ['{"metrics": {"textfile": "a.prom", "every": "1ms"}}', /metrics\.every: it is below 100ms/],
  ]
  for (const [text, message] of wrongFiles) {
    it(`is refused as ${text}`, async () => {
      const ended = await workspace.run(['--config', workspace.write('wrong.json', text), 'run'])
      assert.equal(ended.code, 2)
      assert.match(ended.stderr, message)
    })
  }
})
