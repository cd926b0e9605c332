// Where a worker's socket is, whom it lets in, and what is left of it.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, beforeEach, it } from 'node:test'
import { type Running, type RunOptions, Workspace } from '../support/cli.ts'
import { childrenOf, isAlive, signal } from '../support/processes.ts'
import { until } from '../support/until.ts'

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())
after(() => workspace.remove())

const start = async (name: string, options: RunOptions = {}): Promise<Running> => {
  const running = workspace.start(['run', '-c', '1', '--name', name], options)
  await running.until(/is online/)
  return running
}

/** Where the only worker says that its socket is. */
const socketOf = async (options: RunOptions = {}): Promise<string> => {
  const [dump] = (await workspace.json(['control', 'dump'], options)) as [
    { readonly steps: readonly { readonly name: string; readonly info: { readonly socket: string } }[] },
  ]
  return dump.steps.find(({ name }) => name === 'control')?.info.socket ?? ''
}

const folder = (): string => `${fs.realpathSync(workspace.database)}.control`
const modeOf = (file: string): number => fs.statSync(file).mode & 0o777
const stop = async (worker: Running): Promise<void> => {
  worker.child.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)
}

it('is beside the queue, in a folder for its owner alone, whatever the umask', async () => {
  const worker = await start('w', { prefix: ['sh', '-c', 'umask 0; exec "$@"', 'sh'] })
  const socket = await socketOf()
  assert.equal(path.dirname(socket), folder())
  assert.deepEqual([modeOf(folder()), modeOf(socket)], [0o700, 0o600])
  await stop(worker)
  assert.deepEqual(fs.readdirSync(folder()), [])
})

it('is another for each worker of a queue', async () => {
  const workers = await Promise.all([start('a'), start('b')])
  assert.equal(fs.readdirSync(folder()).length, 2)
  await Promise.all(workers.map(stop))
})

it('is taken away by the next worker when its own was killed, and nobody waits for an answer there', async () => {
  const killed = await start('killed')
  const pid = Number(killed.child.pid)
  const children = childrenOf(pid)
  const stale = await socketOf()
  signal(pid, 'SIGKILL')
  await killed.ended
  await until('the children of the killed worker to go', () => !children.some(isAlive))
  assert.ok(fs.existsSync(stale))
  assert.equal((await workspace.run(['control', 'dump'])).code, 69)
  const next = await start('next')
  assert.equal(fs.existsSync(stale), false)
  assert.notEqual(await socketOf(), stale)
  await stop(next)
})

it('is no other than its own where a worker of an earlier queue in the same place has left one', async () => {
  const killed = await start('killed')
  const stale = await socketOf()
  signal(Number(killed.child.pid), 'SIGKILL')
  await killed.ended
  for (const end of ['', '-wal', '-shm']) fs.rmSync(`${workspace.database}${end}`, { force: true })
  const next = await start('next')
  assert.notEqual(await socketOf(), stale)
  assert.equal(await workspace.output(['--quiet', 'control', 'resume']), 'next\n')
  await stop(next)
})

it('is elsewhere, and still private, where the queue has a path too long for a socket', async () => {
  const long = path.join(workspace.folder, 'x'.repeat(100), 'jobs.db')
  const env = { JOBQ_BROKER: long }
  const worker = await start('w', { env })
  const socket = await socketOf({ env })
  assert.ok(Buffer.byteLength(socket) < 104)
  assert.deepEqual([modeOf(path.dirname(socket)), modeOf(socket)], [0o700, 0o600])
  await stop(worker)
  assert.equal(fs.existsSync(path.dirname(socket)), false)
})

it('is elsewhere where the folder is open to others or a link', async () => {
  await workspace.output(['ls'])
  fs.mkdirSync(folder())
  fs.chmodSync(folder(), 0o755)
  const first = await start('first')
  assert.notEqual(path.dirname(await socketOf()), folder())
  await stop(first)
  const planted = path.join(workspace.folder, 'planted')
  fs.mkdirSync(planted, { mode: 0o700 })
  fs.rmdirSync(folder())
  fs.symlinkSync(planted, folder())
  const second = await start('second')
  assert.notEqual(path.dirname(await socketOf()), folder())
  assert.deepEqual(fs.readdirSync(planted), [])
  await stop(second)
})
