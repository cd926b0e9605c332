import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import type { ProcessIdentity } from '../../src/broker/broker.ts'
import { mayBeAlive, ownIdentity } from '../../src/broker/process-identity.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'

const own = ownIdentity()
const linux = process.platform === 'linux'

describe('a process', () => {
  it('is known again', () => {
    assert.equal(own.pid, process.pid)
    assert.deepEqual(ownIdentity(), own)
    assert.ok(mayBeAlive(own, own))
  })

  it('is gone once it has ended', async () => {
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
    await once(child, 'exit')
    assert.equal(mayBeAlive({ ...own, pid: child.pid ?? 0, startTime: null }, own), false)
    assert.equal(mayBeAlive({ ...own, pid: child.pid ?? 0 }, own), false)
  })

  const others: readonly (readonly [what: string, changed: Partial<ProcessIdentity>, alive: boolean])[] = [
    ['that has the pid of another is gone', { startTime: '1' }, false],
    ['of another boot is gone', { boot: 'the one before' }, false],
    ['of another boot is gone, whatever its start', { boot: 'the one before', startTime: null }, false],
    ['of another host may be alive', { host: 'elsewhere/pid:[1]', pid: 1 }, true],
    ['of another host and boot may be alive', { host: 'elsewhere/pid:[1]', boot: 'other' }, true],
    ['of another container on this host may be alive', { host: `${own.host.split('/')[0]}/pid:[1]`, pid: 1 }, true],
    ['whose start nobody knows is alive while its pid is', { startTime: null }, true],
  ]
  for (const [what, changed, alive] of others) {
    it(what, { skip: linux ? false : 'needs /proc' }, () =>
      assert.equal(mayBeAlive({ ...own, ...changed }, own), alive),
    )
  }

  it('that has ended and is not collected yet is gone', { skip: linux ? false : 'needs /proc' }, async () => {
    // The shell leaves its child uncollected, because it has become `sleep`.
    const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 3600'], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer]
      const pid = Number(line.toString())
      await until('it to end', () => !isAlive(pid))
      assert.equal(mayBeAlive({ ...own, pid, startTime: '1' }, own), false)
    } finally {
      parent.kill('SIGKILL')
      await once(parent, 'exit')
    }
  })
})
