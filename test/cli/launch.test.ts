import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Workspace } from '../support/cli.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'

type Json = Record<string, unknown>

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

const configure = (config: Json): void => {
  workspace.write('jobq.config.json', JSON.stringify(config))
}
const add = async (...parameters: string[]): Promise<string> =>
  (await workspace.output(['enqueue', ...parameters])).trim()
const sh = (script: string): Promise<string> => add('--', 'sh', '-c', script)
const show = async (id: string): Promise<Json> => (await workspace.json(['show', id])) as Json
const drain = (options = {}) => workspace.run(['run', '--drain', '-c', '1'], options)
const logs = async (id: string): Promise<string> => (await workspace.output(['logs', id])).trim()
const errorOf = async (id: string): Promise<Json> => (await show(id)).error as Json

const has = (...programs: string[]): boolean => programs.every((program) => spawnSync('which', [program]).status === 0)
const linux = process.platform === 'linux' && has('nice', 'ionice', 'prlimit', 'setpriv', 'getent')
const root = linux && process.getuid?.() === 0

/** Starts the command line as root without one of root's rights. */
const without = (right: string): readonly string[] => [
  'setpriv',
  `--bounding-set=-${right}`,
  `--inh-caps=-${right}`,
  '--',
]

describe('limits of commands and executables', { skip: !linux }, () => {
  it('hold for what runs, which is one process and not three', async () => {
    configure({
      taskOptions: {
        exec: { nice: 7, ionice: 'best-effort:6', rlimits: { nofile: 55, fsize: '1M', core: 0, cpu: '1m', as: '2G' } },
      },
    })
    const id = await sh(
      'nice; ionice -p $$; ulimit -n; ulimit -c; prlimit --cpu --as --noheadings --raw -o SOFT,HARD; echo pid $$',
    )
    await drain()
    const job = await show(id)
    assert.equal(job.state, 'succeeded', JSON.stringify(job.error))
    assert.deepEqual((await logs(id)).split('\n'), [
      '7',
      'best-effort: prio 6',
      '55',
      '0',
      '60 61',
      `${2 ** 31} ${2 ** 31}`,
      `pid ${job.pid}`,
    ])
  })

  it('are those of the task over those of all, one by one, and leave tasks in JavaScript alone', async () => {
    configure({
      defaults: { nice: 3, rlimits: { nofile: 50, core: 0 } },
      taskOptions: { measure: { rlimits: { nofile: 60 } } },
    })
    workspace.write('tasks/measure.sh', '#!/bin/sh\necho "[$(nice), $(ulimit -n), $(ulimit -c)]"\n', 0o755)
    workspace.write('tasks/plain.js', "import os from 'node:os'\nexport default () => os.getPriority()\n")
    const [command, measure, plain] = [await sh('echo $(nice) $(ulimit -n)'), await add('measure'), await add('plain')]
    assert.equal((await drain()).code, 0)
    assert.equal(await logs(command), '3 50')
    assert.deepEqual((await show(measure)).result, [3, 60, 0])
    assert.equal((await show(plain)).result, os.getPriority())
  })

  it('end what uses too much, as the system does it', async () => {
    configure({ taskOptions: { exec: { rlimits: { cpu: '1s', fsize: '4k' } } } })
    const busy = await sh('while :; do :; done')
    const large = await add('--', 'dd', 'if=/dev/zero', 'of=large', 'bs=1k', 'count=64')
    await drain()
    assert.deepEqual([(await show(busy)).signal, (await show(large)).signal], ['SIGXCPU', 'SIGXFSZ'])
    assert.equal(fs.statSync(path.join(workspace.folder, 'large')).size, 4096)
  })

  it('change nothing about exit codes, arguments, missing programs and folders', async () => {
    configure({ taskOptions: { exec: { nice: 1, rlimits: { core: 0 } } } })
    const five = await sh('exit 5')
    const words = await add('--', 'printf', '%s|', '--nice', '', 'a b')
    const missing = await add('--retries', '3', '--', 'no-such-program')
    const locked = await add('--', workspace.write('locked', 'no program'))
    const orphan = await add('--retries', '3', '--', workspace.write('orphan', '#!/no/such/shell\n', 0o755))
    const nowhere = await add('--cwd', path.join(workspace.folder, 'nowhere'), '--', 'true')
    await drain()
    assert.equal((await show(five)).exitCode, 5)
    assert.equal(await logs(words), '--nice||a b|')
    assert.deepEqual(await errorOf(missing), {
      type: 'SpawnError',
      message: 'there is no program no-such-program',
      stack: null,
    })
    assert.match(String((await errorOf(locked)).message), /may not be executed \(EACCES\)/)
    assert.deepEqual([(await errorOf(orphan)).type, (await show(orphan)).attempt], ['SpawnError', 1])
    assert.match(String((await errorOf(nowhere)).message), /nowhere does not exist/)
  })

  it('leave the whole group killable', async () => {
    configure({ taskOptions: { exec: { nice: 1 } } })
    const id = await sh('trap "" TERM; sleep 3600 & echo $! > inner; echo $$ > outer; wait; wait')
    const worker = workspace.start(['run', '-c', '1', '--kill-after', '100ms'])
    const pidIn = (name: string): number => {
      const file = path.join(workspace.folder, name)
      return fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0
    }
    await until('its start', () => pidIn('outer') > 0)
    await workspace.output(['cancel', id])
    await workspace.run(['wait', id])
    assert.equal((await show(id)).state, 'cancelled')
    await until('its end', () => !isAlive(pidIn('outer')) && !isAlive(pidIn('inner')))
    worker.child.kill('SIGTERM')
    await worker.ended
  })
})

describe('limits that cannot be had', { skip: !linux }, () => {
  it('fail the job for good, and are told when the worker starts and by a check of the tasks', async () => {
    const tools = path.join(workspace.folder, 'tools')
    fs.mkdirSync(tools)
    for (const name of ['sh', 'true', 'nice']) {
      fs.symlinkSync(spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim(), path.join(tools, name))
    }
    const env = { PATH: tools }
    configure({ taskOptions: { exec: { rlimits: { core: 0 } }, measure: { nice: 1 } } })
    workspace.write('tasks/measure.sh', '#!/bin/sh\ntrue\n', 0o755)
    const id = await add('--retries', '5', '--', 'true')
    const other = await add('measure')
    const { stderr } = await drain({ env })
    const { state, attempt, error } = await show(id)
    assert.deepEqual([state, attempt], ['failed', 1])
    assert.deepEqual(error, { type: 'SpawnError', message: 'rlimits: there is no program prlimit here', stack: null })
    assert.match(stderr, /commands: rlimits: there is no program prlimit here/)
    assert.equal((await show(other)).state, 'succeeded')
    const check = await workspace.run(['tasks', '--check'], { env })
    assert.equal(check.code, 1)
    assert.match(check.stderr, /commands: rlimits: there is no program prlimit here/)
  })

  it('are refused for tasks in TypeScript and JavaScript, which share their process', async () => {
    configure({ taskOptions: { plain: { nice: 5 } } })
    workspace.write('tasks/plain.js', 'export default () => 1\n')
    workspace.write('tasks/own.js', 'export const options = { rlimits: { core: 0 } }\nexport default () => 1\n')
    const id = await add('plain')
    const { stderr } = await drain()
    assert.match(String((await errorOf(id)).message), /^nice: only for commands and executables/)
    assert.match(stderr, /plain\.js: nice: only for commands and executables/)
    assert.match(stderr, /own\.js: .*rlimits: only for commands and executables/)
    assert.equal((await workspace.run(['tasks', '--check'])).code, 1)
  })

  it('need rights: a lower niceness, and another user', { skip: !root }, async () => {
    configure({ taskOptions: { exec: { nice: -5 } } })
    const id = await add('--retries', '5', '--', 'true')
    const first = await drain({ prefix: without('sys_nice') })
    assert.deepEqual((await show(id)).attempt, 1, first.stderr)
    assert.match(String((await errorOf(id)).message), /^nice: cannot set niceness: Permission denied$/)
    configure({ taskOptions: { exec: { user: 'nobody' } } })
    const other = await add('--', 'true')
    await drain({ prefix: without('setuid') })
    assert.match(String((await errorOf(other)).message), /^setpriv: .*not permitted$/)
  })

  it('are checked as they are read', async () => {
    const wrong: readonly (readonly [Json, RegExp])[] = [
      [{ nice: 20 }, /taskOptions\.exec\.nice: 20 is not a whole number from -20 to 19/],
      [{ ionice: 'best-effort:8' }, /taskOptions\.exec\.ionice: .* is not idle, best-effort:0\.\.7/],
      [{ user: '-x' }, /taskOptions\.exec\.user: .* is not the name or id of an account/],
      [{ rlimits: { nofiles: 5 } }, /did you mean nofile\?/],
      [{ rlimits: { as: 'much' } }, /taskOptions\.exec\.rlimits\.as: "much" is not a size/],
    ]
    for (const [options, message] of wrong) {
      configure({ taskOptions: { exec: options } })
      const { code, stderr } = await workspace.run(['tasks'])
      assert.equal(code, 2, stderr)
      assert.match(stderr, message)
    }
  })
})

describe('another user', { skip: !root }, () => {
  it('runs the command, in its groups and with its home; the folder stays that of the job', async () => {
    configure({ taskOptions: { exec: { user: 'nobody' } } })
    fs.chmodSync(path.dirname(workspace.folder), 0o755)
    const id = await sh('id -u; id -G; echo $HOME $USER $LOGNAME; pwd; nice; grep CapEff /proc/self/status')
    const own = await add('--env', 'HOME=/elsewhere', '--', 'sh', '-c', 'echo $HOME')
    await drain()
    assert.equal((await show(id)).state, 'succeeded', JSON.stringify(await show(id)))
    const [, , uid, gid, , home] = spawnSync('getent', ['passwd', 'nobody'], { encoding: 'utf8' }).stdout.split(':')
    assert.deepEqual((await logs(id)).split('\n'), [
      uid,
      gid,
      `${home} nobody nobody`,
      workspace.folder,
      '0',
      'CapEff:\t0000000000000000',
    ])
    assert.equal(await logs(own), '/elsewhere')
  })

  it('may have another group, or only the group is another', async () => {
    configure({ taskOptions: { exec: { user: 65534, group: 'daemon' }, who: { group: 'daemon' } } })
    workspace.write('tasks/who.sh', '#!/bin/sh\necho "[$(id -u), $(id -g)]"\n', 0o755)
    const [id, who] = [await sh('id -u; id -gn'), await add('who')]
    await drain()
    assert.equal(await logs(id), '65534\ndaemon')
    const daemon = Number(spawnSync('getent', ['group', 'daemon'], { encoding: 'utf8' }).stdout.split(':')[2])
    assert.deepEqual((await show(who)).result, [0, daemon])
  })

  it('that does not exist fails the job for good', async () => {
    configure({ taskOptions: { who: { user: 'no-such-user' } } })
    workspace.write('tasks/who.sh', '#!/bin/sh\n', 0o755)
    const who = await add('who')
    await drain()
    assert.equal((await errorOf(who)).message, 'user: there is no user no-such-user')
  })

  it('has all its processes killed with a cancel', async () => {
    configure({ taskOptions: { exec: { user: 'nobody' } } })
    const id = await sh('trap "" TERM; sleep 3600 & wait; wait')
    const worker = workspace.start(['run', '-c', '1', '--kill-after', '100ms'])
    const pid = await until('its start', async () => (await show(id)).pid as number | null)
    await workspace.output(['cancel', id])
    await workspace.run(['wait', id])
    assert.equal((await show(id)).state, 'cancelled')
    await until('its end', () => !isAlive(pid))
    worker.child.kill('SIGTERM')
    await worker.ended
  })
})
