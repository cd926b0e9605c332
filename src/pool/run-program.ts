/**
 * Runs a program for a job: without a shell, in a process group of its own, its output going into the job's
 * files through descriptors that it inherits, so nothing is copied. While it runs its files are looked at now
 * and then, for lines that tell progress and to keep them within bounds.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import type { Progress } from '../job.ts'
import { parseProgressLine } from '../output/progress-line.ts'
import type { StreamFile } from '../output/stream-file.ts'
import { findProgram, programProblem } from './find-program.ts'
import type { RunningJob } from './running-job.ts'
import { signalGroup } from './signal-process.ts'
import { Termination } from './termination.ts'

/** What to run. `input` and `results` are open descriptors, closed by whoever opened them. */
export interface Program {
  readonly argv: readonly [string, ...string[]]
  /** Default: the worker's. */
  readonly cwd: string | null
  readonly env: Readonly<Record<string, string>>
  /** What starts it with other rights and limits than this process has, and becomes it. */
  readonly prefix: readonly string[]
  readonly input: number | null
  /** Becomes descriptor 3. */
  readonly results: number | null
}

/** How a program ended; a problem means that it never began. */
export type ProgramEnd =
  | { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly problem: NodeJS.ErrnoException }

const firstLookMs = 20
const busyLookMs = 10
const usualLookMs = 100

/** Runs it to its end; never rejects. */
export const runProgram = async (job: RunningJob, program: Program): Promise<ProgramEnd> => {
  let child: ChildProcess
  try {
    const { output } = job
    const stdio = [
      program.input ?? 'ignore',
      output.open('stdout').fd,
      output.open('stderr').fd,
      program.results ?? 'ignore',
    ] as const
    const { argv, prefix, env, cwd } = program
    // The tools of the prefix would tell it in words of their own.
    const problem = prefix.length === 0 ? null : programProblem(argv[0], env.PATH, cwd)
    if (problem !== null) return { problem }
    const [name = argv[0], ...args] = [...prefix, ...argv]
    child = spawn(findProgram(name, env.PATH, cwd), args, {
      argv0: name,
      ...(cwd === null ? {} : { cwd }),
      env,
      detached: true,
      stdio: program.results === null ? stdio.slice(0, 3) : [...stdio],
    })
  } catch (error) {
    return { problem: error as NodeJS.ErrnoException }
  }
  const ended = Promise.withResolvers<ProgramEnd>()
  child.once('error', (problem) => ended.resolve({ problem }))
  const { pid } = child
  if (pid === undefined) return ended.promise
  job.runsAs(pid)
  child.once('exit', (exitCode, signal) => ended.resolve({ exitCode, signal }))
  const termination = new Termination({
    warn: (signal) => signalGroup(pid, signal),
    ask: () => signalGroup(pid, 'SIGTERM'),
    force: () => {
      signalGroup(pid, 'SIGKILL')
      return true
    },
    killAfterMs: job.settings.killAfterMs,
  })
  job.onEnd = (cause) => termination.begin(cause)
  job.onWarn = (signal) => termination.warn(signal)
  const watch = watchOutput(job, program.results)
  const end = await ended.promise
  watch.stop()
  job.onEnd = null
  job.onWarn = null
  termination.settle()
  // What it had started ends with it when it was told to end; otherwise it may have meant to leave it running.
  if (termination.begun) signalGroup(pid, 'SIGKILL')
  return end
}

const watchOutput = (job: RunningJob, results: number | null): { stop: () => void } => {
  const { output, settings } = job
  const { maxResultBytes } = settings
  const scanners = [output.open('stdout'), output.open('stderr')].map((file) => new ProgressScanner(file))
  const observe = (): number => {
    try {
      return output.observe()
    } catch {
      // On a full disk nothing can be set aside; it is tried again with the next look.
      return 0
    }
  }
  const look = (ended = false) => {
    const grown = observe()
    const latest =
      grown > 0 || ended
        ? scanners.map((scanner) => scanner.latest(ended)).findLast((progress) => progress !== null)
        : null
    if (latest) job.report(latest)
    // A result that is too large stays so, but fills the disk no further.
    if (results !== null && fs.fstatSync(results).size > maxResultBytes) fs.ftruncateSync(results, maxResultBytes + 1)
    // Fast growth must be noticed before it fills the disk.
    const fast = grown > settings.maxOutputBytes / 10
    timer = setTimeout(look, fast ? busyLookMs : usualLookMs)
  }
  let timer = setTimeout(look, firstLookMs)
  return {
    stop: () => {
      // The look that is due, and then the one that the last look asks for.
      clearTimeout(timer)
      look(true)
      clearTimeout(timer)
    },
  }
}

const scanBytes = 256 * 1024

/** Finds progress lines in what a command has written since the last time; in a flood, in its end. */
class ProgressScanner {
  readonly #file: StreamFile
  #place = 0

  constructor(file: StreamFile) {
    this.#file = file
    this.#place = file.end
  }

  /** The last progress told by whole lines; once the command has `ended`, the rest is a line too. */
  latest(ended: boolean): Progress | null {
    const { end } = this.#file
    const from = Math.max(this.#place, end - scanBytes)
    if (from === end) return null
    const { place, data } = this.#file.read(from, scanBytes)
    const lineEnd = ended ? data.length : data.lastIndexOf(10)
    if (lineEnd === -1) return null
    this.#place = place + lineEnd + 1
    if (!data.includes('JOBQ_PROGRESS ')) return null
    const lines = data.toString('utf8', 0, lineEnd).split('\n')
    return lines.map(parseProgressLine).findLast((progress) => progress !== null) ?? null
  }
}
