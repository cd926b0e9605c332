/** `jobq keys resign` and `jobq keys verify --job`: the signatures of what is stored. */
import type { SignatureChange, StoredPayload } from '../src/broker/broker.ts'
import type { Messages } from '../src/envelope/messages.ts'
import { Rejected } from '../src/envelope/rejected.ts'
import { JobqError } from '../src/errors.ts'
import { signerOf } from '../src/plain-payload.ts'
import { Exit } from './exit.ts'
import { onQueue, type Session } from './session.ts'

/** Jobs of one transaction. */
const batch = 200

/** What is to be signed anew, and by which key. */
export interface Resigning {
  readonly key: string
  readonly queue?: string
  readonly dryRun: boolean
}

interface Refusal {
  readonly job: number
  readonly reason: string
}

/** Signs whatever waits by another key, and says how many jobs that were. @throws Exit 77 where signatures do not hold */
export const resignWaiting = (session: Session, { key, queue: only, dryRun }: Resigning): Promise<void> =>
  onQueue(session, async (queue, messages) => {
    const { output } = session
    messages.checkSigner(key)
    const filter = { limit: batch, ...(only === undefined ? {} : { queue: only }) }
    const refused: Refusal[] = []
    let resigned = 0
    let unchanged = 0
    for (let after = 0; ; ) {
      const page = await queue.broker.jobs.waitingSigned({ ...filter, after })
      const changes: SignatureChange[] = []
      for (const stored of page) {
        if (signerOf(stored.payload) === key) unchanged += 1
        else {
          const change = resign(messages, stored, key)
          if ('reason' in change) refused.push(change)
          else changes.push(change)
        }
      }
      const done = dryRun ? changes.map(() => true) : await queue.broker.jobs.resign(changes)
      resigned += done.filter((each) => each).length
      after = page.at(-1)?.owner.job ?? after
      if (page.length < batch) break
    }
    if (output.json) output.document({ resigned, unchanged, refused, dryRun })
    else if (!output.quiet)
      output.line(`${resigned} ${dryRun ? 'to be signed' : 'signed'} anew by ${key}, ${unchanged} already`)
    for (const { job, reason } of refused) output.complain(`job ${job}: ${reason}`)
    if (refused.length > 0) throw new Exit(77)
  })

const resign = (messages: Messages, { payload, owner }: StoredPayload, key: string): SignatureChange | Refusal => {
  const { job } = owner
  try {
    return { job, from: payload.signature ?? '', to: messages.resign(payload, owner, key) }
  } catch (error) {
    if (error instanceof Rejected) return { job, reason: error.message }
    throw error
  }
}

/** Says by whom a job is signed. @throws JobqError `not-found`; `permission` where its signature does not hold */
export const verifyJob = (session: Session, id: number): Promise<void> =>
  onQueue(session, async (queue, messages) => {
    const stored = await queue.broker.jobs.stored(id)
    if (stored === null) throw new JobqError('not-found', `there is no job ${id}`)
    try {
      const signedBy = messages.verify(stored.payload, stored.owner)
      if (session.output.json) session.output.document({ job: id, signedBy })
      else if (!session.output.quiet) session.output.line(`${id}\tsigned by ${signedBy}`)
    } catch (error) {
      if (!(error instanceof Rejected)) throw error
      throw new JobqError('permission', `job ${id}: ${error.message}`, { cause: error })
    }
  })
