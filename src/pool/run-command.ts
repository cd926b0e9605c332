/**
 * The two kinds of job that are programs: commands, whose payload says what to run, and executables among the
 * tasks, which get their payload on stdin. Here is how a payload becomes a program and what its end means.
 */

import fs from 'node:fs'
import { checkJsonText, decodeJson, encodeJson } from '../json.ts'
import type { Outcome } from '../outcome.ts'
import { isFull } from '../output/free-space.ts'
import type { OutputStream } from '../output/output-path.ts'
import { parseProgressLine } from '../output/progress-line.ts'
import { isPlain, TooLarge } from '../plain-payload.ts'
import { type CommandPayload, readCommandPayload } from './command-payload.ts'
import { toJobError } from './job-error.ts'
import type { Launch } from './launch.ts'
import { jobEnvironment } from './program-environment.ts'
import { checkResultSize, resultTooLarge, unreadable } from './run-module.ts'
import { type ProgramEnd, runProgram } from './run-program.ts'
import type { RunningJob } from './running-job.ts'
import { openTemporaryFile } from './temporary-file.ts'

/** Runs a command; its payload is `{ argv | shell, cwd?, env?, stdin? }`. */
export const runCommand = async (job: RunningJob, launch: Launch): Promise<Outcome> => {
  let payload: unknown
  try {
    payload = job.readPayload()
  } catch (error) {
    return unreadable(error)
  }
  let command: CommandPayload
  try {
    command = readCommandPayload(payload)
  } catch (error) {
    return failure('InvalidPayload', toJobError(error).message, true)
  }
  return withRoom(job, await runReadCommand(job, command, launch))
}

const runReadCommand = async (job: RunningJob, command: CommandPayload, launch: Launch): Promise<Outcome> => {
  let input: number | null
  try {
    input = openInput(command.stdin, job)
  } catch (error) {
    return failure('SpawnError', `its stdin cannot be had: ${toJobError(error).message}`, true)
  }
  try {
    const { argv, cwd } = command
    const end = await runProgram(job, {
      argv,
      cwd,
      env: { ...launch.env, ...command.env, ...jobEnvironment(job) },
      prefix: launch.prefix,
      input,
      results: null,
    })
    if ('problem' in end) return spawnFailure(end.problem, { program: argv[0], cwd })
    return end.exitCode === 0 ? { type: 'succeeded', result: null, exitCode: 0 } : exitFailure(job, end, false)
  } finally {
    if (input !== null) fs.closeSync(input)
  }
}

const exitSnooze = 75
const exitFinal = 65

/** Runs an executable task; its result is what it writes to descriptor 3, or its last line on stdout if that is JSON. */
export const runExecutable = async (job: RunningJob, file: string, launch: Launch): Promise<Outcome> => {
  let text: string
  try {
    text = isPlain(job.payload) ? job.payload.text : encodeJson(job.readPayload())
  } catch (error) {
    return unreadable(error)
  }
  return withRoom(job, await runTaskFile(job, { file, text }, launch))
}

const runTaskFile = async (
  job: RunningJob,
  { file, text }: { readonly file: string; readonly text: string },
  launch: Launch,
): Promise<Outcome> => {
  const descriptors: number[] = []
  try {
    const input = openTemporaryFile(job.settings.outputFolder, text)
    descriptors.push(input)
    const results = openTemporaryFile(job.settings.outputFolder, '')
    descriptors.push(results)
    const end = await runProgram(job, {
      argv: [file],
      cwd: null,
      env: { ...launch.env, ...jobEnvironment(job) },
      prefix: launch.prefix,
      input,
      results,
    })
    if ('problem' in end) return spawnFailure(end.problem, { program: file, cwd: null })
    const { exitCode } = end
    if (exitCode === 0) return resultOf(job, results)
    if (exitCode === exitSnooze) return { type: 'snoozed', delayMs: null, exitCode }
    return exitFailure(job, end, exitCode === exitFinal)
  } catch (error) {
    return failure('SpawnError', toJobError(error).message, false)
  } finally {
    for (const fd of descriptors) fs.closeSync(fd)
  }
}

/** A failure that a full disk explains is none of the job's: it is given back, to run again once there is room. */
const withRoom = (job: RunningJob, outcome: Outcome): Outcome => {
  if (outcome.type !== 'failed' || outcome.signal != null || outcome.exitCode === 0) return outcome
  if (outcome.final && outcome.exitCode != null) return outcome
  return isFull(job.settings.outputFolder) ? { type: 'returned', started: true } : outcome
}

const openInput = (stdin: CommandPayload['stdin'], job: RunningJob): number | null => {
  if (stdin === null) return null
  if (typeof stdin === 'string' || stdin instanceof Uint8Array) {
    return openTemporaryFile(job.settings.outputFolder, stdin)
  }
  return fs.openSync(stdin.file, 'r')
}

const failure = (type: string, message: string, final: boolean): Outcome => ({
  type: 'failed',
  final,
  error: { type, message },
})

const passing = ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EDQUOT', 'EIO']

// The system reports a missing folder as if the program were missing.
const spawnFailure = (
  problem: NodeJS.ErrnoException,
  { program, cwd }: { program: string; cwd: string | null },
): Outcome => {
  const { code, message } = problem
  const noFolder = cwd !== null && fs.statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true
  if (noFolder) return failure('SpawnError', `the working directory ${cwd} does not exist or is no directory`, true)
  if (code === 'ENOENT') return failure('SpawnError', `there is no program ${program}`, true)
  if (code === 'EACCES') return failure('SpawnError', `${program} may not be executed (EACCES)`, true)
  return failure('SpawnError', message, !passing.includes(code ?? ''))
}

const exitFailure = (job: RunningJob, end: Exclude<ProgramEnd, { problem: unknown }>, final: boolean): Outcome => {
  const { exitCode, signal } = end
  const how = signal === null ? `exited with code ${exitCode}` : `was killed by ${signal}`
  const said = lastLine(job, 'stderr', 300)
  // That the interpreter of a script is missing shows only when the last of the tools tries to become it.
  if (
    (exitCode === 126 || exitCode === 127) &&
    /^(?:\S*\/)?(?:nice|ionice|prlimit|setpriv): .*: (?:Permission|No such)/.test(said)
  )
    return failure('SpawnError', said.toWellFormed(), true)
  const message =
    `${job.warned ? 'its soft time limit passed; it ' : ''}${said === '' ? how : `${how}: ${said}`}`.toWellFormed()
  const type = job.warned ? 'SoftTimeLimitExceeded' : 'CommandFailed'
  return { type: 'failed', final, exitCode, signal, error: { type, message } }
}

const resultOf = (job: RunningJob, results: number): Outcome => {
  const { maxResultBytes, maxOutputBytes } = job.settings
  const bytes = fs.fstatSync(results).size
  if (bytes > maxResultBytes) return resultTooLarge(maxResultBytes)
  if (bytes > 0) {
    const data = Buffer.alloc(bytes)
    fs.readSync(results, data, 0, bytes, 0)
    return resultOutcome(job, data.toString('utf8').trim())
  }
  const line = lastLine(job, 'stdout', maxOutputBytes)
  return isJson(line) ? resultOutcome(job, line) : { type: 'succeeded', result: null, exitCode: 0 }
}

const resultOutcome = (job: RunningJob, text: string): Outcome => {
  try {
    const outcome = checkResultSize(checkJsonText(text), job.settings.maxResultBytes)
    if (outcome.type !== 'succeeded') return outcome
    return job.writesPlainResults
      ? { ...outcome, exitCode: 0 }
      : { type: 'succeeded', result: job.writeResult(decodeJson(text)), exitCode: 0 }
  } catch (error) {
    if (error instanceof TooLarge) return resultTooLarge(job.settings.maxResultBytes)
    return {
      type: 'failed',
      final: true,
      exitCode: 0,
      error: { type: 'InvalidResult', message: toJobError(error).message },
    }
  }
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The last line that is neither empty nor tells progress, as far as it lies in the last `maxBytes`. */
const lastLine = (job: RunningJob, stream: OutputStream, maxBytes: number): string => {
  const file = job.output.open(stream)
  const { data } = file.read(file.end - maxBytes, maxBytes)
  for (let end = data.length; end > 0; ) {
    const start = data.lastIndexOf(10, end - 1) + 1
    const line = data.toString('utf8', start, end).trim()
    if (line !== '' && parseProgressLine(line) === null) return line
    end = start - 1
  }
  return ''
}
