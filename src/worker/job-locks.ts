/** What a worker locks and unlocks, so that its children need no key. */
import type { Messages } from '../envelope/messages.ts'
import { Rejected } from '../envelope/rejected.ts'
import type { ClaimedJob } from '../job.ts'
import type { Outcome } from '../outcome.ts'

/** The job with its payload verified and decrypted; or what is wrong with it. */
export const unlockJob = (messages: Pick<Messages, 'unlock' | 'isOpen'>, job: ClaimedJob): ClaimedJob | Rejected => {
  const { payload, id, task, queue } = job
  if (messages.isOpen(payload)) return job
  try {
    return { ...job, payload: messages.unlock(payload, { part: 'payload', job: id, task, queue }) }
  } catch (error) {
    if (error instanceof Rejected) return error
    // A folder of keys that cannot be read now is none of the job's faults, yet it cannot be run.
    return new Rejected('unusable-key', error instanceof Error ? error.message : String(error))
  }
}

/** An outcome with its result as it is to be stored; that of a failure where it cannot be, as with a key that is retired. */
export const lockOutcome = (messages: Pick<Messages, 'locks' | 'lock'>, job: ClaimedJob, outcome: Outcome): Outcome => {
  if (!messages.locks || outcome.type !== 'succeeded' || outcome.result === null) return outcome
  const { result } = outcome
  const stored = typeof result === 'string' ? { serializer: 'json', text: result } : result
  const { id, task, queue, payload } = job
  const signed = payload.signature !== undefined
  try {
    return { ...outcome, result: messages.lock(stored, { part: 'result', job: id, task, queue }, signed) }
  } catch (error) {
    const message = `its result cannot be kept: ${error instanceof Error ? error.message : error}`
    return { type: 'failed', final: true, error: { type: 'Rejected', message } }
  }
}
