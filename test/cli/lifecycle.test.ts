import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import Database from 'better-sqlite3'
import { program, type Running, Workspace } from '../support/cli.ts'
import { isAlive, isStopped, signal, treeOf } from '../support/processes.ts'
import { hasTerminals, keys, Terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'

type Json = Record<string, unknown>

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

const file = (name: string): string => path.join(workspace.folder, name)
const linesOf = (name: string): string[] =>
  fs.existsSync(file(name)) ? fs.readFileSync(file(name), 'utf8').split('\n').slice(0, -1) : []
const add = async (...parameters: string[]): Promise<string> =>
  (await workspace.output(['enqueue', ...parameters])).trim()
const show = async (id: string): Promise<Json> => (await workspace.json(['show', id])) as Json

/** A command that notes its beginning and its end, and waits for `go` in between. */
const held = (...options: string[]): Promise<string> =>
  add(...options, '--', 'sh', '-c', 'echo $$ >> began; until test -e go; do sleep 0.02; done; echo >> ended')

const begun = (): Promise<unknown> => until('its start', () => linesOf('began').length > 0)

const workerPid = (): Promise<number> =>
  until('a worker', async () => {
    const [worker] = (await workspace.json(['workers'])) as Json[]
    return worker === undefined ? null : Number(worker.pid)
  })

const finish = async (worker: Running): Promise<void> => {
  worker.child.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)
}

describe('a worker whose terminal goes away', { skip: !hasTerminals }, () => {
  it('goes on, with what runs and with what comes, and can be stopped', async () => {
    workspace.write('tasks/one.js', 'export default () => 1\n')
    const terminal = new Terminal([...program, 'run', '-c', '1'], {
      cwd: workspace.folder,
      env: workspace.environment(),
    })
    await terminal.until('is online')
    const pid = await workerPid()
    try {
      const id = await held()
      await begun()
      await terminal.hangUp()
      await until(
        'its reload',
        async () => (await workspace.output(['events', '--type', 'tasks.reloaded', '--json'])).trim() !== '',
      )
      workspace.write('go', '')
      assert.equal((await workspace.run(['wait', id])).code, 0)
      assert.deepEqual([linesOf('began').length, linesOf('ended').length], [1, 1])
      assert.equal((await workspace.run(['wait', await add('one')])).code, 0)
      assert.equal(isAlive(pid), true)
    } finally {
      signal(pid, 'SIGTERM')
    }
    await until('its end', () => !isAlive(pid))
    assert.deepEqual(await workspace.json(['workers']), [])
  })

  it('goes on when nobody reads its log any more', async () => {
    const worker = workspace.start(['run', '-c', '1'])
    await worker.until('is online')
    worker.child.stderr?.destroy()
    worker.child.stdout?.destroy()
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await workspace.run(['wait', await add('--', 'true')])).code, 0)
    }
    const ended = new Promise((resolve) => worker.child.once('exit', resolve))
    worker.child.kill('SIGTERM')
    assert.equal(await ended, 0)
  })
})

describe('a worker in the terminal of a shell', { skip: !hasTerminals }, () => {
  const start = async (): Promise<Terminal> => {
    const terminal = new Terminal(['bash', '--norc', '--noprofile', '-i'], {
      cwd: workspace.folder,
      env: workspace.environment({ PS1: '$ ', TERM: 'dumb', HISTFILE: undefined }),
    })
    terminal.type(`${program.map((word) => `'${word}'`).join(' ')} run -c 1; echo "exit code"=$?\r`)
    await terminal.until('is online')
    return terminal
  }

  it('can be suspended and brought back, and no job runs twice or is lost', async () => {
    const terminal = await start()
    try {
      const pid = await workerPid()
      const id = await held()
      await begun()
      terminal.type(keys.suspend)
      await until('its stop', () => isStopped(pid))
      // Somebody else who looks for work finds that the job is in good hands.
      const other = await workspace.run(['run', '--drain', '-c', '1'])
      assert.equal(other.code, 0, other.stderr)
      workspace.write('go', '')
      await until('the end of the command', () => linesOf('ended').length > 0)
      terminal.type('fg\r')
      assert.equal((await workspace.run(['wait', id])).code, 0)
      assert.equal((await workspace.run(['wait', await add('--', 'true')])).code, 0)
      assert.deepEqual([linesOf('began').length, linesOf('ended').length], [1, 1])
      terminal.type(keys.interrupt)
      await until('its end', () => !isAlive(pid))
      terminal.type('echo "shell lives"\r')
      await terminal.until(/\nshell lives/)
    } finally {
      await terminal.hangUp()
    }
  })

  it('leaves the file to others whenever it is suspended, however busy it is', async () => {
    workspace.write('tasks/noop.js', 'export default () => {}\n')
    const lines = '{"task":"noop"}\n'.repeat(50_000)
    const terminal = await start()
    try {
      const pid = await workerPid()
      await workspace.output(['enqueue', '--batch'], { input: lines })
      for (let round = 0; round < 10; round++) {
        terminal.type(keys.suspend)
        await until('its stop', () => isStopped(pid))
        const database = new Database(workspace.database, { timeout: 0 })
        try {
          database.exec('BEGIN IMMEDIATE; ROLLBACK')
        } finally {
          database.close()
        }
        terminal.type('fg\r')
        await until('its return', () => !isStopped(pid))
      }
    } finally {
      await terminal.hangUp()
    }
  })

  it('is interrupted once to finish what runs, twice to give it back', async () => {
    const terminal = await start()
    try {
      const pid = await workerPid()
      const processes = treeOf(pid)
      const id = await held()
      await begun()
      terminal.type(keys.interrupt)
      await terminal.until('INT: finishing what runs')
      terminal.type(keys.interrupt)
      await terminal.until('exit code=130')
      assert.deepEqual([(await show(id)).state, (await show(id)).error], ['queued', null])
      await until('the end of all its processes', () => ![...processes, Number(linesOf('began')[0])].some(isAlive))
    } finally {
      await terminal.hangUp()
    }
  })
})

describe('signals while a worker starts', () => {
  const startSlowly = async (): Promise<Running> => {
    workspace.write(
      'tasks/slow.js',
      `import fs from 'node:fs'
       fs.appendFileSync(${JSON.stringify(file('loading'))}, process.pid + '\\n')
       while (!fs.existsSync(${JSON.stringify(file('go'))})) await new Promise((resolve) => setTimeout(resolve, 5))
       export default () => {}`,
    )
    const worker = workspace.start(['run', '-c', '1'])
    await until('a child that loads', () => linesOf('loading').length > 0)
    return worker
  }

  it('TERM ends it with 0 and leaves no child', async () => {
    const worker = await startSlowly()
    await finish(worker)
    assert.deepEqual(linesOf('loading').map(Number).filter(isAlive), [])
    assert.deepEqual(await workspace.json(['workers']), [])
  })

  it('HUP and USR1 do not end it', async () => {
    const worker = await startSlowly()
    worker.child.kill('SIGHUP')
    worker.child.kill('SIGUSR1')
    workspace.write('go', '')
    await worker.until('is online')
    assert.equal((await workspace.run(['wait', await add('slow')])).code, 0)
    assert.doesNotMatch(worker.stderr, /Debugger/)
    await finish(worker)
  })
})

describe('a stop', () => {
  it('is asked for twice by TERM without being cut short', async () => {
    const worker = workspace.start(['run', '-c', '1'])
    const id = await held()
    await begun()
    worker.child.kill('SIGTERM')
    await worker.until('TERM: finishing')
    worker.child.kill('SIGTERM')
    workspace.write('go', '')
    assert.equal((await worker.ended).code, 0)
    assert.equal((await show(id)).state, 'succeeded')
  })

  it('that is warm becomes cold by QUIT, and exits 131', async () => {
    const worker = workspace.start(['run', '-c', '1'])
    const id = await held()
    await begun()
    worker.child.kill('SIGTERM')
    await worker.until('TERM: finishing')
    worker.child.kill('SIGQUIT')
    assert.equal((await worker.ended).code, 131)
    assert.equal((await show(id)).state, 'queued')
  })
})

describe('children that do not live to take up their work', () => {
  it('are started again with growing delays, and the worker says why and stops at once when told', async () => {
    workspace.write('tasks/broken.js', 'process.exit(3)\n')
    const worker = workspace.start(['run', '-c', '1'])
    await worker.until(/replaced in 100 ms[\s\S]*replaced in 200 ms[\s\S]*replaced in 400 ms/)
    await finish(worker)
  })
})
