/** A child's process and the wires to it: commands there, reports and stray text back, and how it ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { OutputStream } from '../output/output-path.ts'
import { encodeCommand } from './command-pipe.ts'
import type { SentBatch } from './job-batch.ts'
import { LineSplitter } from './lines.ts'
import type { ChildProgram } from './pool.ts'
import { type ChildReport, type Command, commandFd, reportFd } from './protocol.ts'
import type { TimeCard } from './time-card.ts'

/** What is to happen with what comes from a child. */
export interface ChildLinkEnds {
  readonly program: ChildProgram
  readonly env: NodeJS.ProcessEnv
  /** Becomes its descriptor `cardFd`. */
  readonly card: TimeCard | null
  readonly hear: (report: ChildReport) => void
  /** What it wrote to its own stdout and stderr. */
  readonly text: (stream: OutputStream, data: Buffer) => void
  /** Called once, when the process is gone and all that it said has been heard. */
  readonly exited: (code: number | null, signal: NodeJS.Signals | null) => void
}

const lastReportsMs = 1_000

/** One process. */
export class ChildLink {
  /** 0 when it could not be started. */
  readonly pid: number
  /** Null when not even the attempt to start it was possible. */
  readonly #process: ChildProcess | null
  readonly #ends: ChildLinkEnds
  readonly #lines = new LineSplitter()
  #unheard: string[] = []
  #gone = false

  constructor(ends: ChildLinkEnds) {
    this.#ends = ends
    this.#process = this.#spawn()
    this.pid = this.#process?.pid ?? 0
    if (this.#process !== null) this.#listen(this.#process)
  }

  /** A child that has just died is heard of by its exit; what could not be sent to it is no error. */
  send(command: Command<SentBatch>): void {
    const pipe = this.#stdio[commandFd] as Writable | null | undefined
    if (pipe?.writable) pipe.write(encodeCommand(command))
  }

  kill(): void {
    this.#process?.kill('SIGKILL')
  }

  /** True until its end has been noticed; until then no other process has its pid. */
  get alive(): boolean {
    const { pid, exitCode, signalCode } = this.#process ?? {}
    return pid !== undefined && exitCode === null && signalCode === null
  }

  /** Resolves once all has been heard that it had said before. */
  async heard(): Promise<void> {
    // The event loop reads between two rounds of immediates; what it reads is heard in the next one.
    for (let round = 0; round < 4; round++) await new Promise(setImmediate)
  }

  /** One that could not be started has no streams at all. */
  get #stdio(): readonly unknown[] {
    return this.#process?.stdio ?? []
  }

  // Node throws some reasons why a process cannot be started, and tells others by an event.
  #spawn(): ChildProcess | null {
    const { program, env, card } = this.#ends
    try {
      return spawn(program.execPath, program.args, {
        env,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', card?.fd ?? 'ignore'],
      })
    } catch (error) {
      setImmediate(() => this.#failed(error))
      return null
    }
  }

  #failed(error: unknown): void {
    this.#ends.text('stderr', Buffer.from(`${error instanceof Error ? error.message : error}\n`))
    this.#conclude(null, null)
  }

  #listen(child: ChildProcess): void {
    const { pid } = child
    // Without a listener a failed start, or a write into the pipe of a dead child, would bring down this process.
    const commands = this.#stdio[commandFd] as Writable | null | undefined
    commands?.on('error', () => {})
    child.on('error', (error) => {
      if (pid === undefined) this.#failed(error)
      else this.#ends.text('stderr', Buffer.from(`${error.message}\n`))
    })
    this.#listenToText('stdout', child.stdout)
    this.#listenToText('stderr', child.stderr)
    const reports = this.#stdio[reportFd] as Readable | null | undefined
    const silent = new Promise<void>((resolve) => reports?.on('close', resolve))
    reports?.on('error', () => {})
    reports?.on('data', (data: Buffer) => this.#take(data))
    child.on('exit', async (code, signal) => {
      // What it has left running may hold these open, and is still heard; but nobody stays for that.
      for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref()
      commands?.destroy()
      const timer = setTimeout(() => reports?.destroy(), lastReportsMs)
      await silent
      clearTimeout(timer)
      this.#conclude(code, signal)
    })
  }

  #listenToText(name: OutputStream, stream: Readable | null | undefined): void {
    stream?.on('error', () => {})
    stream?.on('data', (data: Buffer) => this.#ends.text(name, data))
  }

  // Heard only when all that is readable now has been read: text that a job wrote before its end was reported is
  // then still that job's.
  #take(data: Buffer): void {
    const lines = this.#lines.push(data)
    if (this.#unheard.length === 0) setImmediate(() => this.#hear())
    this.#unheard.push(...lines)
  }

  #hear(): void {
    const lines = this.#unheard
    this.#unheard = []
    for (const line of lines) this.#ends.hear(JSON.parse(line))
  }

  #conclude(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#gone) return
    this.#gone = true
    this.#hear()
    this.#ends.exited(code, signal)
  }
}
