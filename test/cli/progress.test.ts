import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ends } from '../broker/conformance/scene.ts'
import { program, Workspace } from '../support/cli.ts'
import { withScene } from '../support/scenery.ts'
import { hasTerminals, keys, Terminal } from '../support/terminal.ts'

const erased = '\r\x1b[K'

describe('progress', { skip: !hasTerminals }, () => {
  let workspace: Workspace
  beforeEach(() => {
    workspace = new Workspace()
  })
  afterEach(() => workspace.remove())

  const open = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Terminal =>
    new Terminal(argv, { cwd: workspace.folder, env: workspace.environment({ TERM: 'xterm', ...env }) })

  const addTwo = (): Promise<void> =>
    withScene(workspace, async (scene) => {
      await scene.addAll([{}, {}])
      await scene.runOne(ends.succeeded())
    })

  it('of several jobs is a bar, gone when Ctrl-C ends the wait', async () => {
    await addTwo()
    const terminal = open([...program, 'wait', '1', '2'])
    await terminal.until('waiting ████████████░░░░░░░░░░░░  50 %  1 of 2 jobs have finished')
    terminal.type(keys.interrupt)
    await terminal.shown.ended
    assert.ok(terminal.shown.stdout.endsWith(erased), JSON.stringify(terminal.shown.stdout))
  })

  it('is gone when the work is done, before the answer', async () => {
    await addTwo()
    const terminal = open([...program, 'wait', '1', '2'], { LC_ALL: 'C' })
    await terminal.until('waiting ############------------  50 %')
    await withScene(workspace, async (scene) => void (await scene.runOne(ends.succeeded())))
    const { stdout } = await terminal.shown.ended
    const answer = stdout.slice(stdout.lastIndexOf('\x1b[K') + '\x1b[K'.length)
    assert.match(answer, /ID.*STATE/)
    assert.ok(!answer.includes('#'))
  })

  it('of one job is what the job says of itself', async () => {
    await withScene(workspace, async (scene) => {
      await scene.add()
      const terminal = open([...program, 'wait', '1'])
      await terminal.until(/job 1 has not finished, \d/)
      const job = await scene.claimOne()
      await scene.settle(scene.started(job), scene.progress(job, 0.5))
      await terminal.until('job 1 ████████████░░░░░░░░░░░░  50 %')
      await scene.settle(scene.finished(job, ends.succeeded()))
      await terminal.shown.ended
    })
  })

  it('of a long batch says what is done, and is silent off a terminal', async () => {
    const file = workspace.write('batch', '{"argv":["true"]}\n'.repeat(20_000))
    const line = `"$@" enqueue --batch < '${file}' > ids`
    const terminal = open(['sh', '-c', line, 'sh', ...program])
    await terminal.until('adding: writing 20,000 jobs, all or none')
    const { stdout } = await terminal.shown.ended
    assert.ok(stdout.endsWith(erased), JSON.stringify(stdout))
    const { stderr } = await workspace.run(['enqueue', '--batch', '--quiet'], {
      input: '{"argv":["true"]}\n'.repeat(20_000),
    })
    assert.equal(stderr, '')
    const waited = await workspace.run(['wait', '1', '2', '--timeout', '1s'])
    assert.ok(!waited.stderr.includes('\r'))
  })

  it('of a backup and of pruning leaves nothing behind', async () => {
    await withScene(workspace, async (scene) => {
      await scene.addAll(Array.from({ length: 3_000 }, () => ({})))
      const claimed = await scene.claim({ limit: 3_000 })
      await scene.settle(...claimed.map((job) => scene.finished(job, ends.succeeded())))
    })
    for (const words of [['backup', 'copy.db'], ['prune', '--state', 'succeeded'], ['migrate']]) {
      const { stdout } = await open([...program, ...words]).shown.ended
      const after = stdout.slice(stdout.lastIndexOf('\r\x1b[') + 1)
      assert.match(after, /copied|3000 deleted|is up to date/)
    }
    assert.equal(((await workspace.json(['-b', 'copy.db', 'ls'])) as unknown[]).length, 3_000)
  })
})
