import { drainMs, fillPaused } from '../backlog.ts'
import { median, type RowPlan } from '../figures.ts'
import { durability } from '../floors.ts'
import { payloadOf } from '../payload.ts'
import type { Place } from '../place.ts'
import { type Backlog, ScaleCase } from '../scale-case.ts'
import type { Sizes } from '../sizes.ts'
import type { Work } from '../work.ts'
import { startWorker } from '../worker-process.ts'

const workers = 8
const priorities = 10
const slices = 5
/** What counts as flat: from the smallest backlog to any other. */
const flat = 1.5

/** W8: claims, and a worker's speed, whatever else the file holds; and eight workers on one file. */
export const scale: Work = {
  id: 'W8',
  title: 'scale',
  linuxOnly: true,
  async prepare({ place, sizes }) {
    const cases = new Map<string, ScaleCase>()
    for (const [name, backlog] of backlogs(sizes)) {
      const scaleCase = new ScaleCase(place, backlog)
      await scaleCase.fill()
      cases.set(name, scaleCase)
    }
    const drained = [...cases].filter(([, { backlog }]) => backlog.waiting >= sizes.backlogDrainJobs * 2)
    return {
      rows: [...claimRows([...cases.keys()]), ...drainRows(drained.map(([name]) => name)), crowdRow],
      async round() {
        const figures: Record<string, number> = await claims(cases, sizes.claims)
        for (const [name, scaleCase] of drained) {
          const { perSecond, walMebibytes, memoryMebibytes } = await scaleCase.drain(sizes.backlogDrainJobs)
          Object.assign(figures, { [`${name}: drain`]: perSecond })
          Object.assign(figures, { [`${name}: WAL`]: walMebibytes, [`${name}: memory`]: memoryMebibytes })
        }
        return { ...figures, ...(await crowd(place, sizes.backlogDrainJobs)) }
      },
    }
  },
}

// The cases take turns in short slices, so that a busy moment of the machine falls on all of them.
const claims = async (cases: ReadonlyMap<string, ScaleCase>, count: number): Promise<Record<string, number>> => {
  const found = new Map([...cases.keys()].map((name) => [name, { claim: [] as number[], turn: [] as number[] }]))
  for (let slice = 0; slice < slices; slice++) {
    for (const [name, scaleCase] of cases) {
      const { claimMs, turnMs } = await scaleCase.claim(Math.ceil(count / slices))
      found.get(name)?.claim.push(claimMs)
      found.get(name)?.turn.push(turnMs)
    }
  }
  const figures = [...found].flatMap(([name, { claim, turn }]) => [
    [`${name}: claim`, median(claim)],
    [`${name}: turn`, median(turn)],
  ])
  return Object.fromEntries(figures)
}

const backlogs = ({ backlogs: sizes, queues, scheduled }: Sizes): [string, Backlog][] => {
  const plain = { queues: 1, priorities: 1, scheduled: 0 }
  const usual = sizes[Math.min(2, sizes.length - 1)] ?? 0
  const count = (n: number): string => n.toLocaleString('en')
  return [
    ...sizes.map((waiting): [string, Backlog] => [`${count(waiting)} waiting`, { ...plain, waiting }]),
    ...queues.map((n): [string, Backlog] => [
      `${count(usual)} in ${count(n)} queues`,
      { ...plain, waiting: usual, queues: n },
    ]),
    [`${count(usual)} at ${priorities} priorities`, { ...plain, waiting: usual, priorities }],
    [`${count(sizes[1] ?? 0)} and ${count(scheduled)} scheduled`, { ...plain, waiting: sizes[1] ?? 0, scheduled }],
  ]
}

const claimRows = ([first = '', ...others]: readonly string[]): RowPlan[] =>
  ['claim', 'turn'].flatMap((what): RowPlan[] => {
    const row = { unit: 'ms', durability: durability.full }
    const against = { figure: `${first}: ${what}`, name: first }
    const goal = { of: 'ratio', atMost: flat } as const
    return [
      { what: `${what} of 256, ${first}`, figure: `${first}: ${what}`, ...row },
      ...others.map((name) => ({ what: `${what} of 256, ${name}`, figure: `${name}: ${what}`, against, goal, ...row })),
    ]
  })

const drainRows = ([first = '', ...others]: readonly string[]): RowPlan[] => {
  const full = durability.full
  const goal = { of: 'ratio', atLeast: Math.round(100 / flat) / 100 } as const
  const against = (what: string) => ({ figure: `${first}: ${what}`, name: first })
  return [
    { what: `drain, ${first}`, figure: `${first}: drain`, unit: 'jobs/s', durability: full },
    ...others.flatMap((name): RowPlan[] => [
      {
        what: `drain, ${name}`,
        figure: `${name}: drain`,
        unit: 'jobs/s',
        against: against('drain'),
        goal,
        durability: full,
      },
      { what: `WAL, ${name}`, figure: `${name}: WAL`, unit: 'MiB', against: against('WAL'), durability: full },
      {
        what: `worker and 2 children, ${name}`,
        figure: `${name}: memory`,
        unit: 'MiB PSS',
        against: against('memory'),
        durability: durability.none,
      },
    ]),
  ]
}

const crowdRow: RowPlan = {
  what: `drain, ${workers} workers on one file`,
  figure: 'crowd',
  unit: 'jobs/s',
  against: { figure: 'alone', name: 'one worker' },
  durability: durability.full,
}

const crowd = async (place: Place, count: number): Promise<Record<string, number>> => ({
  alone: await drainedBy(place, count, { workers: 1, children: 2 }),
  crowd: await drainedBy(place, count, { workers, children: 1 }),
})

const drainedBy = async (
  place: Place,
  count: number,
  plan: { readonly workers: number; readonly children: number },
): Promise<number> => {
  const file = place.newFile('crowd.db')
  await fillPaused(file, count, (n) => ({ task: 'noop', payload: payloadOf(n) }))
  const started = await Promise.all(
    Array.from({ length: plan.workers }, () => startWorker(place, { file, kind: 'library', children: plan.children })),
  )
  const ms = await drainMs(file, count, started)
  place.removeDatabase(file)
  return (count / ms) * 1_000
}
