import type { Broker } from '../broker/broker.ts'
import type { Clock } from '../clock.ts'
import { Written } from '../envelope/codecs.ts'
import type { ClaimedJob } from '../job.ts'
import { type JobItem, newJob, withPublishedCoding } from '../new-job.ts'
import type { TaskCall } from '../pool/pool.ts'
import type { PayloadSealer } from '../sealing.ts'

/**
 * Adds the job that a running task asks for; answers its id.
 * @throws JobqError as `Queue.enqueue`
 */
export const enqueueFromTask = async (
  broker: Broker,
  call: Extract<TaskCall<ClaimedJob>, { method: 'enqueue' }>,
  by: { readonly clock: Clock; readonly messages: PayloadSealer },
): Promise<number | undefined> => {
  const { target, payload, options } = call
  const content = payload === null ? {} : { payload: new Written(payload) }
  const item = typeof target === 'string' ? { ...options, task: target, ...content } : { ...options, argv: target }
  const now = by.clock.now()
  const published = await broker.tasks.list()
  const coded = withPublishedCoding(item as JobItem, published)
  const [added] = await broker.enqueue([newJob(coded, { now: now.at, messages: by.messages, published })], now)
  return added?.id
}
