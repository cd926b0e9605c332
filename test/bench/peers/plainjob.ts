import { act, startActor } from '../actor.ts'
import type { Writing, Written } from '../actors/batches.ts'
import type { PlainjobTask } from '../actors/plainjob-database.ts'
import type { Place } from '../place.ts'
import type { Peer } from './peer.ts'

const workers = 2
const bulkSize = 1_000

/** plainjob as it comes, and with the same durability as jobq. */
export const plainjob = (installed: string): Peer[] => [
  peer('plainjob', { installed, synchronous: 'NORMAL' }),
  peer('plainjob, FULL', { installed, synchronous: 'FULL' }),
]

const peer = (name: string, how: Pick<PlainjobTask, 'installed' | 'synchronous'>): Peer => ({
  name,
  durability: how.synchronous,
  atMostJobs: 20_000,
  drainGoal: 15,
  async drain(place, jobs) {
    const file = place.newFile('plainjob.db')
    await act<Written>(place, 'plainjob-producer', { ...how, file, batch: bulkSize, jobs })
    const started = await Promise.all(
      Array.from({ length: workers }, () => startActor<number>(place, 'plainjob-worker', { ...how, file })),
    )
    const begun = performance.timeOrigin + performance.now()
    const ends = await Promise.all(started.map((worker) => worker.act()))
    const ms = Math.max(...ends) - begun
    place.removeDatabase(file)
    return (jobs / ms) * 1_000
  },
  enqueueSingly: (place, forMs) => produced(place, { ...how, batch: 1, forMs }),
  enqueueInBulk: (place, jobs) => produced(place, { ...how, batch: bulkSize, jobs }),
})

const produced = async (place: Place, task: Omit<PlainjobTask & Writing, 'file'>): Promise<number> => {
  const file = place.newFile('plainjob.db')
  const { perSecond } = await act<Written>(place, 'plainjob-producer', { ...task, file })
  place.removeDatabase(file)
  return perSecond
}
