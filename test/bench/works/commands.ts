import { spawnSync } from 'node:child_process'
import { drainMs, fillPaused } from '../backlog.ts'
import { durability } from '../floors.ts'
import type { Place } from '../place.ts'
import type { Work } from '../work.ts'
import { startWorker } from '../worker-process.ts'

/** W5: commands that do nothing, two at a time. */
export const commands: Work = {
  id: 'W5',
  title: 'commands',
  async prepare({ place, sizes }) {
    const count = sizes.commands
    const row = { what: "'true', 2 slots", figure: 'jobq', unit: 'jobs/s', durability: durability.full } as const
    return {
      rows: [
        {
          ...row,
          against: { figure: 'xargs', name: 'xargs -P2 -n1 true' },
          goal: { of: 'ratio', atLeast: 0.75 },
        },
        { ...row, against: { figure: 'xargsShell', name: "xargs -P2 -n1 sh -c 'true'" } },
      ],
      round: async () => ({
        xargs: xargs(count, ['true']),
        jobq: await jobq(place, count),
        xargsShell: xargs(count, ['sh', '-c', 'true']),
      }),
    }
  },
}

const xargs = (count: number, command: readonly string[]): number => {
  const input = '1\n'.repeat(count)
  const begun = performance.now()
  const { status } = spawnSync('xargs', ['-P2', '-n1', ...command], { input, stdio: ['pipe', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`xargs exited with ${status}`)
  return (count / (performance.now() - begun)) * 1_000
}

const jobq = async (place: Place, count: number): Promise<number> => {
  const file = place.newFile('commands.db')
  await fillPaused(file, count, () => ({ argv: ['true'], cwd: place.folder }))
  const worker = await startWorker(place, { file, kind: 'binary', children: 2 })
  const ms = await drainMs(file, count, [worker])
  place.removeDatabase(file)
  return (count / ms) * 1_000
}
