import type { Payload } from '../job.ts'
import { isPlain } from '../plain-payload.ts'
import type { RunJob } from './pool.ts'
import type { JobTuple, StoredAs } from './protocol.ts'

/** A job as it goes to a child, under the number `seq`. */
export const jobTuple = (
  job: RunJob,
  of: { readonly seq: number; readonly limited: boolean; readonly announce: boolean },
): JobTuple => {
  const { id, token, attempt, task, queue, createdAt, payload, recovered, trace } = job
  const { text } = payload
  const serializer = isPlain(payload) ? 'json' : storedAs(payload)
  const announce = recovered || of.announce
  const limited = of.limited ? true : null
  if (trace != null) {
    return [of.seq, id, token, attempt, task, queue, createdAt, serializer, text, announce, limited, trace]
  }
  if (limited === null) return [of.seq, id, token, attempt, task, queue, createdAt, serializer, text, announce]
  return [of.seq, id, token, attempt, task, queue, createdAt, serializer, text, announce, limited]
}

const storedAs = ({ serializer, binary, compression }: Payload): StoredAs => ({
  serializer,
  ...(binary === undefined ? {} : { binary }),
  ...(compression === undefined ? {} : { compression }),
})
