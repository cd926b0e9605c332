// A disk that is full, a file that may not grow, writes that cannot be synced: a clear error, nothing acknowledged is lost, and
// the worker goes on by itself.
import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { readEvidence } from '../support/evidence.ts'
import { assertInvariants } from '../support/invariants.ts'
import { until } from '../support/until.ts'
import { FaultSite } from './fault-site.ts'

const run = (name: string, ...parameters: string[]): SpawnSyncReturns<string> =>
  spawnSync(name, parameters, { encoding: 'utf8' })

const succeeds = (name: string, ...parameters: string[]): boolean => run(name, ...parameters).status === 0

/** Whether this process may mount a file system, tried once. */
const mayMount = ((): boolean => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-mount-'))
  const may = succeeds('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder)
  if (may) run('umount', folder)
  fs.rmdirSync(folder)
  return may
})()

/** Whether system calls of this process's children may be made to fail. */
const mayTrace = succeeds('strace', '-f', '-e', 'inject=fsync:error=EIO', 'true')

/** Payloads of this size fill what there is soon. */
const padding = 'x'.repeat(60_000)

/** Adds large jobs until one is refused; answers what the refusal said. */
const fill = async (site: FaultSite, prefix: readonly string[] = []): Promise<string> => {
  for (let index = 0; index < 200; index++) {
    const [task = '', payload = ''] = site.order(`large.${index}`, 0, { padding })
    const { batch, running } = site.beginEnqueue(`large.${index}`, [task, '-'], { input: payload, prefix })
    if ((await site.endEnqueue(batch, running)) !== null) continue
    const { code, stdout, stderr } = await running.ended
    assert.deepEqual([code, stdout], [75, ''], stderr)
    return stderr
  }
  return assert.fail('it never got full')
}

test('a full disk', { skip: mayMount ? false : 'needs the right to mount a file system' }, async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-full-'))
  assert.ok(succeeds('mount', '-t', 'tmpfs', '-o', 'size=2m,mode=700', 'tmpfs', folder))
  try {
    await FaultSite.use(
      async (site) => {
        const worker = await site.startWorker(['-c', '1'])
        const go = path.join(site.workspace.folder, 'go')
        const running = (await site.enqueue('running', site.order('running', 0, { until: go }))) ?? 0
        await until('the start', () =>
          site.value("SELECT 1 FROM event_view WHERE type = 'job.started' AND job = ?", running),
        )
        assert.match(await fill(site), /no space left on the device/)
        fs.writeFileSync(go, '')
        await worker.until('no space left on the device; nothing is claimed until it is back')
        assert.equal(worker.child.exitCode, null, 'the worker stays')
        assert.ok(succeeds('mount', '-o', 'remount,size=64m', folder))
        await worker.until('the broker is back')
        await site.enqueue('after', site.order('after', 0))
        await site.drained()
        await site.stopWorker(worker)
        const { batches } = readEvidence(site.files)
        assert.ok([...batches.values()].filter(({ ids }) => ids !== null).length > 5)
        assert.equal(site.value('SELECT state FROM job_view WHERE id = ?', running), 'succeeded')
        assertInvariants(site.files)
      },
      path.join(folder, 'jobs.db'),
    )
  } finally {
    run('umount', '--lazy', folder)
    fs.rmdirSync(folder)
  }
})

test('a file that may not grow', { skip: succeeds('prlimit', '--version') ? false : 'needs prlimit' }, () =>
  FaultSite.use(async (site) => {
    // Where the binary is tested, it unpacks its addon while it still may.
    await site.enqueue('first', site.order('first', 0))
    assert.match(await fill(site, ['prlimit', '--fsize=400000']), /input\/output error \(SQLITE_IOERR_WRITE\)|no space/)
    const limited = await site.start(['run', '--drain'], { prefix: ['prlimit', '--fsize=200000'] }).ended
    assert.equal(limited.code, 75)
    assert.match(limited.stderr, /input\/output error|no space/)
    const worker = await site.startWorker(['--drain'])
    assert.equal((await worker.ended).code, 0)
    assertInvariants(site.files)
  }),
)

test('an enqueue whose commit cannot be synced', { skip: mayTrace ? false : 'needs strace and ptrace' }, () =>
  FaultSite.use(async (site) => {
    await site.enqueue('before', site.order('before', 0))
    const prefix = ['strace', '-qq', '-f', '-o', '/dev/null', '-e', 'inject=fsync,fdatasync:error=EIO']
    const { batch, running } = site.beginEnqueue('unsynced', site.order('unsynced', 0), { prefix })
    assert.equal(await site.endEnqueue(batch, running), null)
    const { code, stdout, stderr } = await running.ended
    assert.deepEqual([code, stdout], [75, ''])
    assert.match(stderr, /input\/output error \(SQLITE_IOERR_FSYNC\)/)
    await site.enqueue('after', site.order('after', 0))
    const worker = await site.startWorker(['--drain'])
    assert.equal((await worker.ended).code, 0)
    // It may be there or not, but not twice.
    assertInvariants(site.files)
  }),
)

test(
  'a worker whose commits cannot be synced for a while',
  { skip: mayTrace ? false : 'needs strace and ptrace' },
  () =>
    FaultSite.use(async (site) => {
      const worker = await site.startWorker()
      for (let index = 0; index < 20; index++) await site.enqueue(`job.${index}`, site.order(`job.${index}`, 50))
      const pid = String(worker.child.pid)
      const tracer = spawn('strace', [
        '-qq',
        '-f',
        '-p',
        pid,
        '-o',
        '/dev/null',
        '-e',
        'inject=fsync,fdatasync:error=EIO',
      ])
      const ended = new Promise((resolve) => tracer.once('exit', resolve))
      try {
        await worker.until('input/output error (SQLITE_IOERR_FSYNC); nothing is claimed until it is back')
      } finally {
        tracer.kill('SIGINT')
        await ended
      }
      await worker.until('the broker is back')
      await site.drained()
      await site.stopWorker(worker)
      assertInvariants(site.files)
    }),
)
