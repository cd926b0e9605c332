import { connect } from '../../../src/client.ts'
import { act, startActor } from '../actor.ts'
import type { Writing, Written } from '../actors/batches.ts'
import type { RowPlan } from '../figures.ts'
import { durability, rawInserts } from '../floors.ts'
import type { Peer } from '../peers/peer.ts'
import type { Place } from '../place.ts'
import type { Work } from '../work.ts'
import { startWorker } from '../worker-process.ts'

const bulkSize = 1_000
const producers = 8

const single = { figure: 'rawSingle', name: 'direct commits' }
const bulk = { figure: 'rawBulk', name: 'raw inserts' }
const full = { unit: 'jobs/s', durability: durability.full }

const ownRows: readonly RowPlan[] = [
  { what: 'one by one, no worker', figure: 'single', against: single, ...full },
  {
    what: 'one by one, worker up',
    figure: 'singleWithWorker',
    against: single,
    goal: { of: 'ratio', atLeast: 2 },
    ...full,
  },
  { what: 'a thousand at a time', figure: 'bulk', against: bulk, goal: { of: 'ratio', atLeast: 0.8 }, ...full },
  { what: '8 producers, no worker', figure: 'crowdAlone', against: single, ...full },
  {
    what: '8 producers, worker up',
    figure: 'crowd',
    against: single,
    goal: { of: 'figure', atLeast: 10_000 },
    ...full,
  },
  {
    what: '8 producers: slowest ÷ mean',
    figure: 'fairness',
    goal: { of: 'figure', atLeast: 0.8 },
    ...full,
    unit: '',
  },
  { what: '8 producers: longest enqueue', figure: 'worstMs', goal: { of: 'figure', atMost: 50 }, ...full, unit: 'ms' },
  { what: '8 producers: refused as busy', figure: 'refused', goal: { of: 'figure', atMost: 0 }, ...full, unit: '' },
]

/** W2: adding jobs: by one process one by one and in bulk, and by eight processes at once. */
export const enqueue: Work = {
  id: 'W2',
  title: 'enqueue',
  async prepare({ place, sizes, peers }) {
    const forMs = sizes.singlesForMs
    const jobs = sizes.bulkJobs
    return {
      rows: [...ownRows, ...peers.flatMap(peerRows)],
      async round() {
        const figures: Record<string, number> = {
          rawSingle: (await rawInserts(place, { batch: 1, forMs })).perSecond,
          single: await alone(place, { batch: 1, forMs }),
          rawBulk: (await rawInserts(place, { batch: bulkSize, jobs })).perSecond,
          bulk: await alone(place, { batch: bulkSize, jobs }),
          crowdAlone: await withoutWorker(place, forMs),
          ...(await withWorker(place, forMs)),
        }
        for (const peer of peers) {
          figures[`${peer.name} singly`] = await peer.enqueueSingly(place, forMs)
          figures[`${peer.name} in bulk`] = await peer.enqueueInBulk(place, jobs)
        }
        return figures
      },
    }
  },
}

const peerRows = ({ name, durability }: Peer): RowPlan[] => [
  {
    what: 'one by one, no worker',
    figure: 'single',
    unit: 'jobs/s',
    against: { figure: `${name} singly`, name },
    durability: `FULL against ${durability}`,
  },
  {
    what: 'a thousand at a time',
    figure: 'bulk',
    unit: 'jobs/s',
    against: { figure: `${name} in bulk`, name },
    goal: { of: 'ratio', atLeast: 1 },
    durability: `FULL against ${durability}`,
  },
]

const alone = async (place: Place, writing: Omit<Writing, 'file'>): Promise<number> => {
  const file = place.newFile('enqueue.db')
  const { perSecond } = await act<Written>(place, 'producer', { file, ...writing })
  place.removeDatabase(file)
  return perSecond
}

// The worker serves another queue: it is there to be written through and woken, not to take the processors.
const withWorker = async (place: Place, forMs: number): Promise<Record<string, number>> => {
  const file = place.newFile('enqueue.db')
  await (await connect(file)).close()
  const worker = await startWorker(place, { file, kind: 'binary', children: 1, queues: ['other'] })
  const { perSecond } = await act<Written>(place, 'producer', { file, batch: 1, forMs })
  const written = await crowd(place, { file, batch: 1, forMs })
  await worker.stop()
  place.removeDatabase(file)
  const rates = written.map((one) => one.perSecond)
  return {
    singleWithWorker: perSecond,
    crowd: sum(rates),
    fairness: Math.min(...rates) / (sum(rates) / producers),
    worstMs: Math.max(...written.map((one) => one.worstMs)),
    refused: sum(written.map((one) => one.refused)),
  }
}

const withoutWorker = async (place: Place, forMs: number): Promise<number> => {
  const file = place.newFile('enqueue.db')
  await (await connect(file)).close()
  const written = await crowd(place, { file, batch: 1, forMs })
  place.removeDatabase(file)
  return sum(written.map((one) => one.perSecond))
}

const crowd = async (place: Place, writing: Writing): Promise<Written[]> => {
  const ready = await Promise.all(
    Array.from({ length: producers }, () => startActor<Written>(place, 'producer', writing)),
  )
  return Promise.all(ready.map((producer) => producer.act()))
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
