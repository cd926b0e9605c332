import type { Broker, WorkerRecord } from '../broker/broker.ts'
import { mayBeAlive, ownIdentity } from '../broker/process-identity.ts'

/** The workers that are online, without those of this machine whose process is gone though nobody has noticed yet. */
export const liveWorkers = async (broker: Broker): Promise<WorkerRecord[]> => {
  const own = ownIdentity()
  return (await broker.workers.list()).filter((worker) => mayBeAlive(worker.process, own))
}
