import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { after, describe, it } from 'node:test'
import { topics } from '../../cli/topics.ts'
import { program, Workspace } from '../support/cli.ts'

const workspace = new Workspace()
after(() => workspace.remove())

describe('help', () => {
  it('is short with -h', async () => {
    const text = await workspace.output(['-h'])
    assert.match(text, /^Usage: jobq/)
    assert.doesNotMatch(text, /Examples:/)
  })
  it('begins with examples with --help', async () => {
    assert.match(await workspace.output(['--help']), /^Examples:\n {2}jobq enqueue/)
    assert.match(await workspace.output(['cancel', '--help']), /^Examples:\n {2}jobq cancel/)
    assert.match(await workspace.output(['help', 'cancel']), /^Examples:\n {2}jobq cancel/)
  })
  for (const [topic, text] of Object.entries(topics)) {
    it(`explains ${topic}`, async () => assert.equal(await workspace.output(['help', topic]), text))
  }
  it('has licenses to tell of only where something was built', async () => {
    const { code, stdout, stderr } = await workspace.run(['help', 'licenses'])
    if (process.env.JOBQ_BINARY !== undefined) assert.match(stdout, /^Licenses of jobq and of what it contains$/m)
    else assert.deepEqual([code, stdout, stderr.startsWith('jobq: these are the sources')], [1, '', true])
  })
  it('names every exit code and variable', () => {
    for (const code of [0, 1, 2, 3, 4, 5, 8, 69, 75, 77, 78, 124, 130, 131, 143])
      assert.match(topics['exit-codes'], new RegExp(`^ +${code}  `, 'm'))
    for (const name of ['BROKER', 'QUEUES', 'TASKS', 'GRACE', 'JOB_ID'])
      assert.match(topics.environment, new RegExp(`JOBQ_${name}`))
  })
})

describe('usage errors', () => {
  const table: readonly (readonly [parameters: readonly string[], message: RegExp])[] = [
    [['cancle', '1'], /unknown command 'cancle'.*Did you mean cancel\?/],
    [['config', '--jsn'], /unknown option '--jsn'.*Did you mean --json\?/],
    [['config', 'extra'], /too many arguments/],
    [['help', 'exit-cods'], /did you mean exit-codes\?/],
    [['completion', 'tcsh'], /"tcsh" is not one of bash, zsh, fish/],
    [['--color', 'pink', 'config'], /--color: "pink"/],
    [['config', '-b', ''], /--broker: "" is not a broker/],
    [['config', '--config', 'missing.json'], /missing\.json/],
    [['cancel'], /missing required argument 'id'/],
    [['cancel', '0'], /id: "0" is not the id of a job/],
    [['cancel', '-1'], /-1/],
    [['cancel', '1.5'], /id: "1\.5"/],
    [['cancel', '9007199254740993'], /id: "9007199254740993"/],
    [['cancel', '007'], /id: "007"/],
    [['cancel', '\u001b[31m'], /id: "\\u001b\[31m"/],
    [['retry'], /which jobs\?/],
    [['retry', '1', '--all-failed'], /--all-failed/],
    [['retry', '1', '--queue', 'a'], /--queue: only with --all-failed/],
    [['prune'], /which jobs\?/],
    [['prune', '--older-than', 'NaN'], /--older-than: "NaN"/],
    [['prune', '--state', 'running'], /--state: "running"/],
    [['prune', '--keep', '-1'], /--keep: "-1"/],
    [['prune', '--queue', '../a'], /--queue: "\.\.\/a"/],
    [['pause', 'a b'], /queue: "a b"/],
  ]
  for (const [parameters, message] of table) {
    it(`jobq ${parameters.join(' ')}`.slice(0, 60), async () => {
      const { code, stdout, stderr } = await workspace.run(parameters)
      assert.equal(code, 2, stderr)
      assert.match(stderr, message)
      assert.match(stderr, /^jobq: [^\n]+\n$/, 'one line')
      assert.doesNotMatch(stderr, /\u001b/)
      assert.equal(stdout, '')
      assert.equal(fs.existsSync(workspace.database), false, 'nothing is written')
    })
  }
})

it('jobq alone prints the short help', async () => {
  const { code, stdout, stderr } = await workspace.run([])
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /^Usage: jobq .*\n {2}enqueue.*\njobq: a command is missing;[^\n]+\n$/s)
})

describe('arguments that are not UTF-8', () => {
  it('are refused, because they have been changed on the way', () => {
    const line = `exec "$@" enqueue -- printf $'caf\\xe9'`
    const { status, stderr } = spawnSync('/bin/bash', ['-c', line, 'bash', ...program], {
      env: workspace.environment(),
      encoding: 'utf8',
    })
    assert.equal(status, 2)
    assert.match(stderr, /is not UTF-8 text/)
    assert.equal(fs.existsSync(workspace.database), false)
  })
})

describe('global options', () => {
  it('may stand before or behind the command', async () => {
    const before = await workspace.output(['--json', '-b', 'x.db', 'config'])
    const behind = await workspace.output(['config', '-b', 'x.db', '--json'])
    const stable = (text: string): unknown => ({ ...JSON.parse(text), name: null })
    assert.deepEqual(stable(before), stable(behind))
  })
})

describe('standard output', () => {
  const [command, ...own] = program
  const shell = (line: string): ReturnType<typeof spawnSync> =>
    spawnSync('/bin/bash', ['-c', `set -o pipefail; ${line}`, 'bash', command, ...own], {
      env: workspace.environment(),
      encoding: 'utf8',
    })
  it('that is full ends with 1 and a reason', () => {
    const { status, stderr } = shell('"$@" help time > /dev/full')
    assert.equal(status, 1)
    assert.match(String(stderr), /^jobq: cannot write to standard output: no space left on device\n$/)
  })
  it('that is full ends `version` alike', () => {
    const { status, stderr } = shell('"$@" version > /dev/full')
    assert.equal(status, 1)
    assert.match(String(stderr), /^jobq: cannot write to standard output: no space left on device\n$/)
  })
  it('or standard error that takes nothing keeps the exit code', () => {
    assert.equal(shell('"$@" cancel x 2>&-').status, 2)
    assert.equal(shell('"$@" cancel x 2>/dev/full').status, 2)
  })
  it('whose reader has gone ends quietly', () => {
    const { status, stderr, stdout } = shell('"$@" completion bash | (exec <&-; "$0" -c true)')
    assert.deepEqual({ status, stderr, stdout }, { status: 0, stderr: '', stdout: '' })
  })
})

describe('jobq version', () => {
  it('says so in each way', async () => {
    const line = await workspace.output(['version'])
    assert.match(line, /^jobq \d+\.\d+\.\d+ \(.*\)\n$/)
    assert.equal(await workspace.output(['--version']), line)
    const document = (await workspace.json(['version'])) as Record<string, unknown>
    assert.deepEqual(Object.keys(document), ['version', 'commit', 'node', 'sqlite', 'platform'])
    assert.deepEqual(JSON.parse(await workspace.output(['version', '--json'])), document)
  })
})

describe('jobq completion', () => {
  const bash = (line: string): string => {
    const script = `eval "$("$@" completion bash)"; COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _jobq; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('/bin/bash', ['-c', script, 'bash', ...program], {
      env: workspace.environment(),
      encoding: 'utf8',
    })
    assert.equal(stderr, '')
    return stdout
  }
  it('completes commands, options and words in bash', () => {
    assert.equal(bash('jobq can'), 'cancel\n')
    assert.equal(bash('jobq -b x.db retry --all'), '--all-failed\n')
    assert.equal(bash('jobq completion z'), 'zsh\n')
    assert.equal(bash('jobq config --col'), '--color\n')
  })
  for (const shell of ['zsh', 'fish']) {
    it(`names commands and options for ${shell}`, async () => {
      const script = await workspace.output(['completion', shell])
      for (const word of ['cancel', 'purge', 'all-failed']) assert.ok(script.includes(word), word)
    })
  }
})

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0

describe('jobq systemd', () => {
  it('prints a unit that systemd could read', async () => {
    workspace.write('50%/tasks/one.js', 'export default () => 1\n')
    const options = ['-c', '4', '--grace', '2m', '-t', '50%/tasks']
    const text = await workspace.output(['systemd', '-b', 'a b.db', '--', ...options])
    assert.match(text, /^Type=notify\nNotifyAccess=all\nWatchdogSec=60s$/m)
    assert.match(text, /^ExecReload=kill -HUP \$MAINPID$/m)
    assert.match(text, /^ExecStart=.* run --broker "\S.*a place\/a b\.db" -c 4 --grace 2m -t "50%%\/tasks"$/m)
    assert.match(text, /^TimeoutStopSec=150s$/m)
    assert.ok(text.includes(`WorkingDirectory=${workspace.folder}\n`))
  })

  it('lets the worker write where the broker is that it is told behind --', async () => {
    const env = { JOBQ_BROKER: '/somewhere/jobs.db' }
    const text = await workspace.output(['systemd', '--', '-b', '/elsewhere/jobs.db', '--grace=1m'], { env })
    assert.match(text, /^TimeoutStopSec=90s$/m)
    if (process.getuid?.() === 0) assert.match(text, /^ReadWritePaths="-\/elsewhere"$/m)
  })

  const refused: readonly (readonly [options: readonly string[], says: RegExp])[] = [
    [['--bogus'], /unknown option '--bogus'/],
    [['-c', '0'], /--concurrency: "0" is not a whole number/],
    [['extra'], /too many arguments for 'run'.* extra/],
    [['--grace'], /'--grace <duration>' argument missing/],
    [['-t', 'nowhere'], /--tasks: there is no file or folder ".*nowhere"/],
    [['--autoscale', '4,2', '-c', '2'], /--autoscale: .* without --concurrency/],
    [['--config', 'missing.json'], /--config: there is no file .*missing\.json/],
    [['--ui'], /--ui: a service has no terminal/],
  ]
  for (const [options, says] of refused) {
    it(`refuses ${options.join(' ')} behind --`, async () => {
      const { code, stdout, stderr } = await workspace.run(['systemd', '--', ...options])
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, says)
    })
  }

  it('prints one that systemd finds nothing wrong with', { skip: !hasAnalyze }, async () => {
    for (const scope of [['--user'], []]) {
      const file = workspace.write('jobq.service', await workspace.output(['systemd', ...scope]))
      // A user's units are looked up in a runtime folder, which not every session has.
      const env = { ...process.env, XDG_RUNTIME_DIR: workspace.folder }
      const { status, stdout, stderr } = spawnSync('systemd-analyze', [...scope, 'verify', file], {
        encoding: 'utf8',
        env,
      })
      assert.deepEqual([status, stdout + stderr], [0, ''])
    }
  })

  it('installs it once, and replaces another one only by force', async () => {
    const env = { XDG_CONFIG_HOME: `${workspace.folder}/config` }
    const file = `${workspace.folder}/config/systemd/user/jobq.service`
    assert.equal(await workspace.output(['systemd', '--install', '--user'], { env }), `${file}\n`)
    const first = fs.readFileSync(file, 'utf8')
    assert.match(first, /^WantedBy=default\.target$/m)
    await workspace.output(['systemd', '--install', '--user'], { env })
    const other = await workspace.run(['systemd', '--install', '--user', '--', '-c', '9'], { env })
    assert.equal(other.code, 1)
    assert.equal(fs.readFileSync(file, 'utf8'), first)
    await workspace.output(['systemd', '--install', '--user', '--force', '--', '-c', '9'], { env })
    assert.match(fs.readFileSync(file, 'utf8'), / -c 9$/m)
  })
})
