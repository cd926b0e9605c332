import { drainMs, fillPaused } from '../backlog.ts'
import { durability, rawInserts } from '../floors.ts'
import { payloadOf } from '../payload.ts'
import type { Peer } from '../peers/peer.ts'
import type { Place } from '../place.ts'
import type { Work } from '../work.ts'
import { startWorker, type WorkerPlan } from '../worker-process.ts'

/** W1: jobs that do nothing, enqueued before, until the last is settled; two children that are ready. */
export const drain: Work = {
  id: 'W1',
  title: 'drain',
  async prepare({ place, sizes, peers }) {
    const count = sizes.drainJobs
    const against = { figure: 'raw', name: 'raw inserts' }
    const rows = [
      {
        what: 'worker of the library',
        figure: 'library',
        unit: 'jobs/s',
        against,
        goal: { of: 'ratio', atLeast: 0.5 },
        durability: durability.full,
      },
      { what: 'jobq run, logs warnings', figure: 'quiet', unit: 'jobs/s', against, durability: durability.full },
      { what: 'jobq run, logs each job', figure: 'binary', unit: 'jobs/s', against, durability: durability.full },
    ] as const
    return {
      rows: [...rows, ...peers.map(peerRow)],
      async round() {
        const figures: Record<string, number> = {
          raw: (await rawInserts(place, { batch: 1_000, jobs: count })).perSecond,
          library: await drained(place, count, { kind: 'library' }),
          quiet: await drained(place, count, { kind: 'binary', options: ['--log-level', 'warn'] }),
          binary: await drained(place, count, { kind: 'binary' }),
        }
        for (const peer of peers) figures[peer.name] = await peer.drain(place, Math.min(count, peer.atMostJobs))
        return figures
      },
    }
  },
}

const peerRow = (peer: Peer) =>
  ({
    what: 'worker of the library',
    figure: 'library',
    unit: 'jobs/s',
    against: { figure: peer.name, name: peer.name },
    goal: { of: 'ratio', atLeast: peer.drainGoal },
    durability: `FULL against ${peer.durability}`,
  }) as const

const drained = async (place: Place, count: number, plan: Pick<WorkerPlan, 'kind' | 'options'>): Promise<number> => {
  const file = place.newFile('drain.db')
  await fillPaused(file, count, (n) => ({ task: 'noop', payload: payloadOf(n) }))
  const worker = await startWorker(place, { ...plan, file, children: 2 })
  const ms = await drainMs(file, count, [worker])
  place.removeDatabase(file)
  return (count / ms) * 1_000
}
