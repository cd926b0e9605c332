import { drainMs, fillPaused } from '../backlog.ts'
import { durability } from '../floors.ts'
import type { Work } from '../work.ts'
import { startWorker } from '../worker-process.ts'

const slots = 2

/** How long the jobs of one mixture take, in milliseconds, and how many of each there are. */
const mixture: readonly (readonly [ms: number, count: number])[] = [
  [0, 100],
  [1, 50],
  [10, 10],
  [100, 1],
]

/** W9: what the worker adds to jobs of very different durations: the time that they take, over an ideal schedule's. */
export const mixed: Work = {
  id: 'W9',
  title: 'mixed',
  async prepare({ place, sizes }) {
    const durations = Array.from({ length: sizes.mixtures }, (_, index) => mix(index)).flat()
    const idealMs = listScheduleMs(durations)
    const what = `${durations.length} jobs of 0, 1, 10 and 100 ms`
    return {
      rows: [
        {
          what,
          figure: 'wallMs',
          unit: 'ms',
          against: { figure: 'idealMs', name: 'an ideal schedule' },
          goal: { of: 'ratio', atMost: 1.03 },
          durability: durability.full,
        },
      ],
      async round() {
        const file = place.newFile('mixed.db')
        await fillPaused(file, durations.length, (n) => ({ task: 'hold', payload: { ms: durations[n] ?? 0 } }))
        const worker = await startWorker(place, { file, kind: 'library', children: slots })
        const wallMs = await drainMs(file, durations.length, [worker])
        place.removeDatabase(file)
        return { wallMs, idealMs }
      },
    }
  },
}

/** One mixture in an order that looks random and is the same each time. */
const mix = (seed: number): number[] => {
  const durations = mixture.flatMap(([ms, count]) => Array.from({ length: count }, () => ms))
  return durations
    .map((ms, index) => ({ ms, key: ((index + seed * durations.length + 1) * 2_654_435_761) % 2 ** 32 }))
    .sort((a, b) => a.key - b.key)
    .map(({ ms }) => ms)
}

/** The time until all are done if each goes, in their order and at no cost, to the slot that is free first. */
const listScheduleMs = (durations: readonly number[]): number => {
  const free = Array.from({ length: slots }, () => 0)
  for (const ms of durations) {
    free.sort((a, b) => a - b)
    free[0] = (free[0] ?? 0) + ms
  }
  return Math.max(...free)
}
