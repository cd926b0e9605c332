/** Telling running workers something, and hearing what each of them says to it. */
import type { Broker, WorkerRecord } from '../broker/broker.ts'
import { askWorker } from '../control/ask.ts'
import { type ControlCommand, checkCommand } from '../control/command.ts'
import type { ControlResult } from '../control/result.ts'
import { parseDuration } from '../duration.ts'
import { type ErrorCode, JobqError } from '../errors.ts'
import { quote } from '../quote.ts'
import { liveWorkers } from './live-workers.ts'

/** Whom to tell, and how long to wait. */
export interface ControlOptions {
  /** The workers of this name only; default all that live. */
  readonly worker?: string
  /** How long to wait for each, in milliseconds or as text; default 5 s, for `reload`, which loads the tasks first, 60 s. */
  readonly timeout?: string | number
}

/** Which worker an answer is from. */
interface Answerer {
  readonly worker: string
  readonly pid: number
}

/** What became of a command at one worker; `answered` is false where nothing came back. */
export type ControlAnswer = Answerer &
  (
    | { readonly ok: true; readonly answered: true; readonly result: ControlResult }
    | { readonly ok: false; readonly answered: boolean; readonly code: ErrorCode; readonly message: string }
  )

const usualTimeoutMs = 5_000
/** A bit longer than a worker tries. */
const reloadTimeoutMs = 70_000

/**
 * Tells workers of a broker something, all at once, and gives an answer for each, in the order of their start; none
 * where no worker lives.
 * @throws JobqError `usage` for what is no command, `not-found` when no worker has the name
 */
export const controlWorkers = async (
  broker: Broker,
  command: ControlCommand,
  options: ControlOptions = {},
): Promise<ControlAnswer[]> => {
  const checked = checkCommand(command)
  const timeoutMs = parseDuration(options.timeout ?? (checked.verb === 'reload' ? reloadTimeoutMs : usualTimeoutMs))
  const workers = await liveWorkers(broker)
  const { worker: name } = options
  const meant = name === undefined ? workers : workers.filter((worker) => worker.name === name)
  if (name !== undefined && meant.length === 0) throw new JobqError('not-found', `no worker is named ${quote(name)}`)
  return Promise.all(meant.map((worker) => tell(worker, checked, timeoutMs)))
}

const tell = async (worker: WorkerRecord, command: ControlCommand, timeoutMs: number): Promise<ControlAnswer> => {
  const answerer = { worker: worker.name, pid: worker.process.pid }
  try {
    if (worker.control === undefined) throw new JobqError('unavailable', 'it takes no commands, or not yet')
    const reply = await askWorker(worker.control, command, timeoutMs)
    if (reply.ok) return { ...answerer, ok: true, answered: true, result: reply.result }
    return { ...answerer, ok: false, answered: true, code: reply.code, message: reply.message }
  } catch (error) {
    if (!(error instanceof JobqError)) throw error
    return { ...answerer, ok: false, answered: false, code: error.code, message: error.message }
  }
}

/**
 * The workers that live, with what each of them says of itself now; what it said last where it does not answer within
 * `timeoutMs`.
 */
export const currentWorkers = async (broker: Broker, timeoutMs = 1_000): Promise<WorkerRecord[]> => {
  const workers = await liveWorkers(broker)
  return Promise.all(
    workers.map(async (worker) => {
      if (worker.control === undefined) return worker
      const answer = await tell(worker, { verb: 'status' }, timeoutMs)
      return answer.ok && answer.result.verb === 'status' ? { ...worker, ...answer.result.state } : worker
    }),
  )
}
