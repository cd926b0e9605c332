import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** How a run of the command line ended. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** What differs from a plain run. */
export interface RunOptions {
  /** Added to the environment; undefined removes. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** What stdin holds; default nothing. */
  readonly input?: string | Uint8Array
  /** A program with its first parameters that starts the command line, such as one that limits it. */
  readonly prefix?: readonly string[]
  /** The most this run may take, in milliseconds; default 60,000. */
  readonly timeoutMs?: number
}

const root = path.dirname(path.dirname(import.meta.dirname))

/** The command line under test: the binary in JOBQ_BINARY, else the sources. */
export const program: readonly [string, ...string[]] =
  process.env.JOBQ_BINARY === undefined
    ? [process.execPath, path.join(root, 'cli', 'main.ts')]
    : [path.resolve(process.env.JOBQ_BINARY)]

/** A folder with a broker of its own, in which the command line runs; nothing of it is left after `remove`. */
export class Workspace {
  /** Absolute path, with a space in it. */
  readonly folder: string
  readonly #running = new Set<ChildProcess>()

  constructor() {
    this.folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-cli-')), 'a place')
    fs.mkdirSync(this.folder)
  }

  /** The broker's file. */
  get database(): string {
    return path.join(this.folder, 'jobs.db')
  }

  /** Writes a file of the folder and gives its path. */
  write(name: string, text: string | Uint8Array, mode = 0o644): string {
    const file = path.join(this.folder, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, text, { mode })
    return file
  }

  /** The environment of a run: no variable of this process but PATH, and the broker. */
  environment(extra: RunOptions['env'] = {}): Record<string, string> {
    const all = {
      PATH: process.env.PATH,
      HOME: this.folder,
      TZ: 'UTC',
      LANG: 'C.UTF-8',
      JOBQ_BROKER: this.database,
      ...extra,
    }
    return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined))
  }

  /** Starts the command line and leaves it running. */
  start(parameters: readonly string[], options: RunOptions = {}): Running {
    const [name = '', ...words] = [...(options.prefix ?? []), ...program, ...parameters]
    const child = spawn(name, words, {
      cwd: options.cwd ?? this.folder,
      env: this.environment(options.env),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#running.add(child)
    child.on('close', () => this.#running.delete(child))
    // A command that reads no stdin may be gone before it is written.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
    return new Running(child)
  }

  /** Runs the command line to its end. */
  async run(parameters: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const running = this.start(parameters, options)
    const timer = setTimeout(() => running.child.kill('SIGKILL'), options.timeoutMs ?? 60_000)
    const ended = await running.ended
    clearTimeout(timer)
    return ended
  }

  /** Runs the command line, which must succeed, and gives its stdout. */
  async output(parameters: readonly string[], options: RunOptions = {}): Promise<string> {
    const ended = await this.run(parameters, options)
    assert.equal(ended.code, 0, `jobq ${parameters.join(' ')} ended with ${ended.code}: ${ended.stderr}`)
    return ended.stdout
  }

  /** As `output`, with `--json`, read. */
  async json(parameters: readonly string[], options: RunOptions = {}): Promise<unknown> {
    return JSON.parse(await this.output(['--json', ...parameters], options))
  }

  /** Ends what still runs and deletes the folder. */
  async remove(): Promise<void> {
    const ends = [...this.#running].map((child) => new Promise((resolve) => child.once('close', resolve)))
    for (const child of this.#running) child.kill('SIGKILL')
    await Promise.all(ends)
    fs.rmSync(path.dirname(this.folder), { recursive: true, force: true })
  }
}

/** A run that has not ended yet. */
export class Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  #look: (() => void)[] = []

  constructor(child: ChildProcess) {
    this.child = child
    const stream = (name: 'stdout' | 'stderr'): void => {
      child[name]?.setEncoding('utf8')
      child[name]?.on('data', (text: string) => {
        this[name] += text
        this.#notify()
      })
    }
    stream('stdout')
    stream('stderr')
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
        this.#notify()
      })
    })
  }

  /** Resolves once one of the streams holds the text; rejects when the run ends before, or after a minute. */
  async until(text: string | RegExp, stream: 'stdout' | 'stderr' = 'stderr'): Promise<string> {
    const end = performance.now() + 60_000
    const timer = setTimeout(() => this.#notify(), 60_000)
    timer.unref()
    const found = (): boolean => (typeof text === 'string' ? this[stream].includes(text) : text.test(this[stream]))
    while (!found()) {
      const over = this.child.exitCode !== null || this.child.signalCode !== null
      if (over && this.child[stream]?.readableEnded !== false) {
        assert.fail(
          `it ended (${this.child.exitCode ?? this.child.signalCode}) before ${stream} held ${text}:\n${this.stdout}\n${this.stderr}`,
        )
      }
      if (performance.now() > end) assert.fail(`${stream} never held ${text}:\n${this.stdout}\n${this.stderr}`)
      await new Promise<void>((resolve) => this.#look.push(resolve))
    }
    clearTimeout(timer)
    return this[stream]
  }

  #notify(): void {
    const waiting = this.#look
    this.#look = []
    for (const look of waiting) look()
  }
}
