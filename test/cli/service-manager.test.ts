import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type Running, Workspace } from '../support/cli.ts'
import { hasDatagrams, receive } from '../support/datagrams.ts'
import { isStopped } from '../support/processes.ts'
import { until } from '../support/until.ts'

type Json = Record<string, unknown>

const hasNotify = hasDatagrams && spawnSync('systemd-notify', ['--version']).status === 0

describe('a worker under a service manager', { skip: !hasNotify }, () => {
  let workspace: Workspace
  let manager: Running
  let variables: Readonly<Record<string, string>>
  beforeEach(async () => {
    workspace = new Workspace()
    const socket = path.join(workspace.folder, 'notify')
    manager = await receive(socket)
    variables = { NOTIFY_SOCKET: socket }
  })
  afterEach(async () => {
    manager.child.kill()
    await manager.ended
    await workspace.remove()
  })

  const told = (): string[] =>
    manager.stdout.split('\n').flatMap((line) => (line.startsWith('> ') ? line.slice(2) : []))
  const signs = (): number => told().filter((line) => line === 'WATCHDOG=1').length
  const stop = async (worker: Running): Promise<void> => {
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
  }

  it('says when it takes jobs, what it does and that it stops, in this order', async () => {
    const worker = workspace.start(['run', '-c', '2'], { env: variables })
    await manager.until('> READY=1', 'stdout')
    const id = (await workspace.output(['enqueue', '--', 'true'])).trim()
    assert.equal((await workspace.run(['wait', id])).code, 0)
    await stop(worker)
    await manager.until('> STOPPING=1', 'stdout')
    const lines = told().filter((line) => !line.startsWith('BARRIER'))
    assert.deepEqual(lines.slice(0, 3), ['READY=1', 'STATUS=working: 0 of 2 children busy, 0 jobs ended', 'STOPPING=1'])
    assert.match(lines[3] ?? '', /^STATUS=stopping: \d of 2 children busy, 1 jobs ended$/)
    assert.equal(lines.length, 4)
  })

  it('is not ready before a child has taken up its work', async () => {
    workspace.write(
      'tasks/late.js',
      `import fs from 'node:fs'
       if (!fs.existsSync(${JSON.stringify(path.join(workspace.folder, 'go'))})) process.exit(3)
       export default () => {}`,
    )
    const worker = workspace.start(['run', '-c', '1'], { env: variables })
    await worker.until(/is online[\s\S]*replaced in \d+ ms[\s\S]*replaced in \d+ ms/)
    assert.deepEqual(told(), [])
    workspace.write('go', '')
    await manager.until('> READY=1', 'stdout')
    await stop(worker)
  })

  it('says when it reloads its tasks, and when it has', async () => {
    workspace.write('tasks/one.js', 'export default () => 1\n')
    const worker = workspace.start(['run', '-c', '1'], { env: variables })
    await manager.until('> READY=1', 'stdout')
    const before = process.hrtime.bigint()
    worker.child.kill('SIGHUP')
    await manager.until(/> RELOADING=1\n> MONOTONIC_USEC=\d+\n> STATUS=[\s\S]*> READY=1/, 'stdout')
    const [, tick = ''] = /MONOTONIC_USEC=(\d+)/.exec(manager.stdout) ?? []
    assert.ok(BigInt(tick) * 1000n >= before - 1000n && BigInt(tick) * 1000n <= process.hrtime.bigint())
    await stop(worker)
  })

  it('keeps the way to it from jobs', async () => {
    workspace.write('tasks/look.js', 'export default () => Object.keys(process.env)\n')
    const env = { ...variables, WATCHDOG_USEC: '30000000' }
    const worker = workspace.start(['run', '-c', '1'], { env })
    const task = await workspace.output(['enqueue', 'look', '--wait'])
    const command = await workspace.output(['enqueue', '--wait', '--follow', '--', 'env'])
    const [job] = (await workspace.json(['ls', '--task', 'look'])) as Json[]
    const { result } = (await workspace.json(['show', String(job?.id)])) as Json
    assert.ok(Array.isArray(result) && result.includes('PATH'))
    assert.doesNotMatch(task + command + JSON.stringify(result), /NOTIFY_SOCKET|WATCHDOG/)
    await stop(worker)
  })

  it('gives signs of life while it is idle and while it works, and none while it is stopped', async () => {
    const worker = workspace.start(['run', '-c', '1'], { env: { ...variables, WATCHDOG_USEC: '200000' } })
    await until('signs of an idle worker', () => signs() >= 3)
    const id = (await workspace.output(['enqueue', '--', 'sh', '-c', 'until test -e go; do sleep 0.05; done'])).trim()
    await until('the status of a busy one', () => told().includes('STATUS=working: 1 of 1 children busy, 0 jobs ended'))
    const { pid = 0 } = worker.child
    process.kill(pid, 'SIGSTOP')
    await until('its stop', () => isStopped(pid))
    // What was sent before is still on its way.
    await until('silence', async () => {
      const heard = signs()
      await new Promise((resolve) => setTimeout(resolve, 500))
      return signs() === heard
    })
    process.kill(pid, 'SIGCONT')
    const heard = signs()
    await until('signs of a worker that goes on', () => signs() > heard)
    workspace.write('go', '')
    assert.equal((await workspace.run(['wait', id])).code, 0)
    await stop(worker)
  })

  it('gives no signs of life that another process is asked for', async () => {
    const env = { ...variables, WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' }
    const worker = workspace.start(['run', '-c', '1'], { env })
    await manager.until('> READY=1', 'stdout')
    await workspace.output(['enqueue', '--wait', '--', 'sleep', '0.3'])
    await stop(worker)
    await manager.until('> STOPPING=1', 'stdout')
    assert.equal(signs(), 0)
  })

  it('works on where there is no systemd-notify, and says once why it tells nothing', async () => {
    const tools = path.join(workspace.folder, 'tools')
    fs.mkdirSync(tools)
    for (const name of ['sh', 'true']) {
      fs.symlinkSync(spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim(), path.join(tools, name))
    }
    const worker = workspace.start(['run', '-c', '1'], { env: { ...variables, PATH: tools, WATCHDOG_USEC: '20000' } })
    await worker.until('there is no program systemd-notify')
    const id = (await workspace.output(['enqueue', '--', 'true'])).trim()
    assert.equal((await workspace.run(['wait', id])).code, 0)
    await stop(worker)
    assert.equal(worker.stderr.split('there is no program systemd-notify').length, 2)
    assert.deepEqual(told(), [])
  })
})
