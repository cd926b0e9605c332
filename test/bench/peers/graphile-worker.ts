import { act, startActor } from '../actor.ts'
import type { Written } from '../actors/batches.ts'
import type { GraphileTask } from '../actors/graphile-database.ts'
import type { Place } from '../place.ts'
import type { Peer } from './peer.ts'

const bulkSize = 1_000

/** Graphile Worker, tuned for throughput: jobs run in its own process. */
export const graphileWorker = (task: GraphileTask): Peer => ({
  name: 'Graphile Worker',
  durability: 'FULL (PostgreSQL)',
  atMostJobs: 50_000,
  drainGoal: 7,
  async drain(place, jobs) {
    await produced(place, { ...task, batch: bulkSize, jobs })
    const worker = await startActor<number>(place, 'graphile-worker', { ...task, jobs })
    const begun = performance.timeOrigin + performance.now()
    return (jobs / ((await worker.act()) - begun)) * 1_000
  },
  enqueueSingly: (place, forMs) => produced(place, { ...task, batch: 1, forMs }),
  enqueueInBulk: (place, jobs) => produced(place, { ...task, batch: bulkSize, jobs }),
})

const produced = async (
  place: Place,
  task: GraphileTask & { readonly batch: number; readonly jobs?: number; readonly forMs?: number },
): Promise<number> => (await act<Written>(place, 'graphile-producer', task)).perSecond
