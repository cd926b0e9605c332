import type { Broker } from '../broker/broker.ts'
import { toItem } from '../client/enqueue-arguments.ts'
import { Queue } from '../client.ts'
import type { Clock } from '../clock.ts'
import type { ClaimedJob } from '../job.ts'
import { decodeJson } from '../json.ts'
import type { TaskCall } from '../pool/pool.ts'

/**
 * Adds the job that a running task asks for; answers its id.
 * @throws JobqError as `Queue.enqueue`
 */
export const enqueueFromTask = async (
  broker: Broker,
  call: Extract<TaskCall<ClaimedJob>, { method: 'enqueue' }>,
  clock: Clock,
): Promise<number> => {
  const { target, payload, options } = call
  const rest = typeof target === 'string' ? [payload === null ? undefined : decodeJson(payload), options] : [options]
  const [id = 0] = await new Queue(broker, { clock }).enqueueMany([toItem(target, rest)])
  return id
}
