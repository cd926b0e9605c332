import { CrashScene, type Runs } from '../crash-scene.ts'
import type { Figures, Goal, RowPlan } from '../figures.ts'
import { durability } from '../floors.ts'
import { processTree } from '../process-tree.ts'
import type { Work } from '../work.ts'

const none: Goal = { of: 'figure', atMost: 0 }
const soon: Goal = { of: 'figure', atMost: 1 }

const row = (what: string, figure: string, unit: string, goal?: Goal): RowPlan => ({
  what,
  figure,
  unit,
  ...(goal === undefined ? {} : { goal }),
  durability: durability.full,
})

/** W7: deaths by kill -9 in the middle of jobs with a side effect: of the whole worker, and of one child. */
export const crash: Work = {
  id: 'W7',
  title: 'crash',
  linuxOnly: true,
  async prepare({ place, sizes }) {
    return {
      rows: [
        row('worker killed: in flight', 'inFlight', 'jobs'),
        row('worker killed: never ran', 'neverRan', 'jobs', none),
        row('worker killed: ran twice', 'ranTwice', 'jobs'),
        row('worker killed: ran twice, not in flight', 'ranTwiceWrongly', 'jobs', none),
        row('worker back: first orphan runs', 'firstOrphan', 's', soon),
        row('worker back: last orphan runs', 'lastOrphan', 's', soon),
        row('child killed: orphans', 'childOrphans', 'jobs'),
        row('child killed: never ran', 'childNeverRan', 'jobs', none),
        row('child killed: ran twice, not an orphan', 'childRanTwiceWrongly', 'jobs', none),
        row('child killed: first orphan runs', 'childFirstOrphan', 's', soon),
        row('child killed: last orphan runs', 'childLastOrphan', 's', soon),
      ],
      round: async () => ({
        ...(await killWorker(new CrashScene(place, sizes.crashJobs))),
        ...(await killChild(new CrashScene(place, sizes.crashJobs))),
      }),
    }
  },
}

const killWorker = async (scene: CrashScene): Promise<Figures> => {
  const victim = await scene.begin()
  const ended = victim.ended
  for (const pid of processTree(victim.pid)) process.kill(pid, 'SIGKILL')
  await ended
  const orphans = scene.ids('SELECT j.id FROM jobq_leases l CROSS JOIN jobq_jobs j ON j.id BETWEEN l.job AND l.last')
  const startedAt = Date.now()
  const runs = await scene.end(await scene.startWorker())
  const again = delays(runs, orphans, startedAt)
  const twice = ranTwice(runs)
  return {
    inFlight: orphans.size,
    neverRan: scene.count - runs.size,
    ranTwice: twice.length,
    ranTwiceWrongly: twice.filter((id) => !orphans.has(id)).length,
    firstOrphan: again.first,
    lastOrphan: again.last,
  }
}

const killChild = async (scene: CrashScene): Promise<Figures> => {
  const worker = await scene.begin()
  const [child] = worker.children
  const killedAt = Date.now()
  if (child !== undefined) process.kill(child, 'SIGKILL')
  const runs = await scene.end(worker)
  const orphans = scene.ids("SELECT DISTINCT job FROM event_view WHERE type = 'job.recovered'")
  const again = delays(runs, orphans, killedAt)
  return {
    childOrphans: orphans.size,
    childNeverRan: scene.count - runs.size,
    childRanTwiceWrongly: ranTwice(runs).filter((id) => !orphans.has(id)).length,
    childFirstOrphan: again.first,
    childLastOrphan: again.last,
  }
}

const ranTwice = (runs: Runs): number[] => [...runs].filter(([, all]) => all.length > 1).map(([id]) => id)

/** Seconds from an instant until the first, and until the last, of the jobs had begun to run again; 0 for no jobs. */
const delays = (runs: Runs, jobs: ReadonlySet<number>, since: number): { first: number; last: number } => {
  const seconds = [...jobs].map((id) => ((runs.get(id)?.find((at) => at >= since) ?? Number.NaN) - since) / 1_000)
  return seconds.length === 0 ? { first: 0, last: 0 } : { first: Math.min(...seconds), last: Math.max(...seconds) }
}
