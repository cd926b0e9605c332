// No descriptors left, no memory left: the worker lives, and the jobs are done once there are some again.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { test } from 'node:test'
import { readEvidence } from '../support/evidence.ts'
import { assertInvariants } from '../support/invariants.ts'
import { childrenOf, isAlive, signal } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { FaultSite } from './fault-site.ts'

const mayLimit = spawnSync('prlimit', ['--version']).status === 0

const allowDescriptors = (pid: number, count: number): void => {
  const { status, stderr } = spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${count}:`], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
}

const descriptorsOf = (pid: number): number => fs.readdirSync(`/proc/${pid}/fd`).length

test('a worker that cannot open anything more', { skip: mayLimit ? false : 'needs prlimit' }, () =>
  FaultSite.use(async (site) => {
    const worker = await site.startWorker()
    const pid = worker.child.pid ?? 0
    await site.enqueue('before', site.order('before', 0))
    await site.drained()
    const marked = site.processes()
    const children = childrenOf(pid).filter((child) => marked.includes(child))
    assert.equal(children.length, 2)
    allowDescriptors(pid, descriptorsOf(pid))
    for (const child of children) signal(child, 'SIGKILL')
    await until('the children to be gone', () => children.every((child) => !isAlive(child)))
    await worker.until(/EMFILE|too many open files/i)
    await site.enqueue('while', site.order('while', 0))
    assert.equal(worker.child.exitCode, null, 'the worker stays')
    allowDescriptors(pid, 1_024)
    await site.drained()
    await site.stopWorker(worker)
    assertInvariants(site.files)
  }),
)

test('a child that runs out of memory', { skip: mayLimit ? false : 'needs prlimit' }, () =>
  FaultSite.use(async (site) => {
    const id = (await site.enqueue('hungry', site.order('hungry', 1, { last: 'allocate' }))) ?? 0
    await site.enqueue('modest', site.order('modest', 50))
    const worker = await site.startWorker(['-c', '1', '--drain'], { prefix: ['prlimit', '--data=1000000000'] })
    const { code, stderr } = await worker.ended
    assert.equal(code, 0, stderr)
    const { jobs, events } = readEvidence(site.files)
    assert.deepEqual([jobs.get(id)?.state, jobs.get(id)?.errorType], ['failed', 'PoisonJob'])
    assert.equal(events.filter(({ job, type }) => job === id && type === 'job.recovered').length, 2)
    assert.equal(site.value("SELECT count(*) FROM job_view WHERE state = 'succeeded'"), 1)
    assertInvariants(site.files)
  }),
)
