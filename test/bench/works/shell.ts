import { spawnSync } from 'node:child_process'
import { binary } from '../binary.ts'
import { median } from '../figures.ts'
import { durability } from '../floors.ts'
import type { Work } from '../work.ts'

/** W4: what a command line costs whoever types it, or a script that calls it in a loop. */
export const shell: Work = {
  id: 'W4',
  title: 'shell',
  async prepare({ place, sizes }) {
    const file = place.newFile('shell.db')
    const env = place.environment(file)
    const programs: Record<string, readonly [string, ...string[]]> = {
      node: [process.execPath, '-e', '0'],
      version: [binary(), 'version'],
      enqueue: [binary(), 'enqueue', '--', 'true'],
    }
    const timed = ([program, ...parameters]: readonly [string, ...string[]]): number => {
      const begun = performance.now()
      const { status } = spawnSync(program, parameters, { cwd: place.folder, env, stdio: 'ignore' })
      if (status !== 0) throw new Error(`${program} ${parameters.join(' ')} exited with ${status}`)
      return performance.now() - begun
    }
    // The first start unpacks the addon and makes the file.
    for (const program of Object.values(programs)) timed(program)
    const against = { figure: 'node', name: 'node -e 0' }
    const goal = { of: 'ratio', atMost: 1.15 } as const
    return {
      rows: [
        { what: 'jobq enqueue -- true', figure: 'enqueue', unit: 'ms', against, goal, durability: durability.full },
        { what: 'jobq version', figure: 'version', unit: 'ms', against, goal, durability: durability.none },
      ],
      async round() {
        const times: Record<string, number[]> = {}
        for (let n = 0; n < sizes.starts; n++) {
          for (const [name, program] of Object.entries(programs)) {
            times[name] = [...(times[name] ?? []), timed(program)]
          }
        }
        return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]))
      },
    }
  },
}
