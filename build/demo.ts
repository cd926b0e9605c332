// The main job, run on the examples by the binary: a worker on a new queue in a temporary folder, commands, tasks and an
// executable given to it from the outside, and a look at what became of them. Exits 0 when every job has succeeded.
// Everything that is shown after a `$` was run as it stands there.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'

const root = path.dirname(import.meta.dirname)
const binary = path.join(root, 'dist', process.platform === 'win32' ? 'jobq.exe' : 'jobq')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-demo-'))
const environment = { ...withoutJobq(process.env), JOBQ_BROKER: path.join(folder, 'queue.db') }
const workerLog = path.join(folder, 'worker.log')
const style: typeof styleText = (format, text) => styleText(format, text, { stream: process.stdout })

let worker: ChildProcess | undefined
try {
  await demo()
} catch (error) {
  process.exitCode = 1
  console.error(error instanceof Error ? error.message : error)
  if (fs.existsSync(workerLog)) console.error(`\nThe worker said:\n${fs.readFileSync(workerLog, 'utf8')}`)
} finally {
  worker?.kill('SIGKILL')
  fs.rmSync(folder, { recursive: true, force: true })
}

async function demo(): Promise<void> {
  chapter('One binary')
  show('version')
  say(`The queue is a file of its own for this: ${environment.JOBQ_BROKER}`)

  chapter('A worker with two child processes, in the background')
  worker = startWorker('run', '--tasks', 'examples/tasks', '--concurrency', '2')
  const workerExit = once(worker, 'exit')
  await online()
  show('workers')

  chapter('Work for it, of three kinds')
  const command = enqueue('--', 'echo', 'hello from a command')
  const task = enqueue('words', '{"path": "README.md", "top": 5}')
  const mail = { to: 'ada@example.org', subject: 'Hello', outbox: path.join(folder, 'outbox') }
  const others = [
    enqueue('greet', '{"name": "Ada"}'),
    enqueue('mail/send', JSON.stringify(mail)),
    enqueue('measure', '"examples"'),
  ]
  say('One that fails twice before it succeeds, and one that waits for it:')
  const script = 'echo "this is attempt $JOBQ_ATTEMPT"; test "$JOBQ_ATTEMPT" -ge 3'
  const flaky = enqueue('--retries', '2', '--backoff', 'fixed:200ms', '--', 'sh', '-c', script)
  const last = enqueue('--after', flaky, '--', 'echo', 'at last')
  say('And a thousand small ones in a single batch:')
  const lines = Array.from({ length: 1000 }, (_, n) => `{"task": "greet", "payload": {"name": "number ${n}"}}\n`)
  const batch = ids(
    run(['enqueue', '--batch'], { input: lines.join(''), shown: 'jobq enqueue --batch < greetings.ndjson' }),
  )
  say(`(${batch.length} ids)`)

  chapter('They finish')
  const started = performance.now()
  show('wait', command, task, ...others, flaky, last)
  run(['wait', ...batch], { shown: `jobq wait ${batch[0]} … ${batch.at(-1)}` })
  say(`(all ended ${((performance.now() - started) / 1000).toFixed(1)} s later)`)
  show('logs', command)
  show('show', task)
  show('logs', flaky)
  show('why', flaky)
  show('ls', '--sort', 'oldest', '--limit', '8')
  show('stats')

  chapter('The worker finishes and leaves')
  worker.kill('SIGTERM')
  const [code] = await workerExit
  if (code !== 0) throw new Error(`the worker ended with exit code ${code}`)
  const left = JSON.parse(run(['ls', '--state', 'blocked,queued,running,failed,cancelled', '--json'])) as unknown[]
  if (left.length > 0) throw new Error(`${left.length} jobs did not succeed: ${JSON.stringify(left.slice(0, 3))}`)
  say(style('green', `All ${batch.length + others.length + 4} jobs have succeeded.`))
  say(`Now it is your turn: ${path.relative(process.cwd(), binary)} --help, and the tour in README.md.`)
}

function startWorker(...parameters: string[]): ChildProcess {
  prompt(`jobq ${parameters.join(' ')} 2> worker.log &`)
  const log = fs.openSync(workerLog, 'w')
  const child = spawn(binary, parameters, { cwd: root, env: environment, stdio: ['ignore', log, log] })
  child.on('error', (error) => console.error(`${binary}: ${error.message}`))
  fs.closeSync(log)
  return child
}

/** Resolves when the worker is there, and with it what its tasks say about their queues and retries. */
async function online(): Promise<void> {
  while (run(['workers', '--quiet']) === '') {
    if (worker?.exitCode !== null) throw new Error('the worker did not start')
    await sleep(50)
  }
}

/** Enqueues one job in the open; returns its id. */
function enqueue(...parameters: string[]): string {
  const output = run(['enqueue', ...parameters], { shown: quoted(['enqueue', ...parameters]) })
  process.stdout.write(output)
  return output.trim()
}

/** Runs a command in the open, as it looks on this terminal. */
function show(...parameters: string[]): void {
  const output = run(parameters, { shown: quoted(parameters), terminal: process.stdout.isTTY })
  process.stdout.write(aligned(output))
}

function run(
  parameters: string[],
  options: { readonly input?: string; readonly shown?: string; readonly terminal?: boolean } = {},
): string {
  if (options.shown !== undefined) prompt(options.shown)
  const result = spawnSync(binary, parameters, {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    stdio: [options.input === undefined ? 'ignore' : 'pipe', options.terminal ? 'inherit' : 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
    timeout: 120_000,
    ...(options.input === undefined ? {} : { input: options.input }),
  })
  if (result.error) throw result.error
  process.stderr.write(result.stderr)
  if (result.status !== 0) throw new Error(`jobq ${parameters[0]} ended with exit code ${result.status}`)
  return result.stdout ?? ''
}

function ids(output: string): string[] {
  return output.trim().split('\n')
}

/** What is data for a program, made readable in a log: columns under each other, without fields that hold nothing. */
function aligned(text: string): string {
  const rows = text.split('\n').map((line) => line.split('\t'))
  const full = rows.filter(([, second, ...others]) => second !== '' || others.length > 0)
  const widths = new Map<string, number>()
  for (const row of full) {
    for (const [column, cell] of row.entries()) {
      const key = `${row.length} ${column}`
      widths.set(key, Math.max(widths.get(key) ?? 0, cell.length))
    }
  }
  const padded = (row: string[]): string[] =>
    row.map((cell, column) => cell.padEnd(widths.get(`${row.length} ${column}`) ?? 0))
  return full.map((row) => padded(row).join('  ').trimEnd()).join('\n')
}

function chapter(title: string): void {
  console.log(`\n${style('bold', title)}`)
}

function prompt(line: string): void {
  console.log(`${style('dim', '$')} ${style('cyan', line)}`)
}

function say(text: string): void {
  console.log(text)
}

function quoted(parameters: string[]): string {
  const words = parameters.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
  return ['jobq', ...words].join(' ')
}

function withoutJobq(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith('JOBQ_')))
}
