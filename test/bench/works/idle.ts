import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../../src/client.ts'
import { durability } from '../floors.ts'
import { processorSeconds, processTree, proportionalMebibytes } from '../process-tree.ts'
import type { Work } from '../work.ts'
import { startWorker } from '../worker-process.ts'

const settleMs = 2_000

/** W6: what a worker with two children costs while there is nothing to do. */
export const idle: Work = {
  id: 'W6',
  title: 'idle',
  linuxOnly: true,
  async prepare({ place, sizes }) {
    const file = place.newFile('idle.db')
    await (await connect(file)).close()
    const worker = await startWorker(place, { file, kind: 'binary', children: 2 })
    await sleep(settleMs)
    const what = 'worker and 2 children'
    return {
      rows: [
        {
          what,
          figure: 'processor',
          unit: 'CPU s/min',
          goal: { of: 'figure', atMost: 0.05 },
          durability: durability.none,
        },
        { what, figure: 'memory', unit: 'MiB PSS', goal: { of: 'figure', atMost: 90 }, durability: durability.none },
      ],
      async round() {
        const pids = processTree(worker.pid)
        const before = processorSeconds(pids)
        const begun = performance.now()
        await sleep(sizes.idleForMs)
        const used = processorSeconds(pids) - before
        return { processor: (used * 60_000) / (performance.now() - begun), memory: proportionalMebibytes(pids) }
      },
      end: () => worker.stop(),
    }
  },
}
