import type { Broker } from '../../../src/broker/broker.ts'
import { burstCases } from './bursts.ts'
import { claimCases, expiryCases } from './claim.ts'
import { cursorCases } from './cursors.ts'
import { dependencyCases } from './dependencies.ts'
import { enqueueCases } from './enqueue.ts'
import { cancelCases, requeueCases } from './intervene.ts'
import { rateCases } from './rates.ts'
import { eventLogCases, jobIndexCases } from './reading.ts'
import { type Case, Scene } from './scene.ts'
import { leaseCases, settleCases } from './settle.ts'
import { storedCases } from './stored.ts'
import { uniqueCases } from './unique.ts'
import { taskCases, waitCases, workerCases } from './workers.ts'

export { type Case, Scene }

/** Every rule that a broker must keep. */
export const conformanceCases: readonly Case[] = [
  ...enqueueCases,
  ...uniqueCases,
  ...dependencyCases,
  ...claimCases,
  ...expiryCases,
  ...settleCases,
  ...leaseCases,
  ...burstCases,
  ...cancelCases,
  ...requeueCases,
  ...jobIndexCases,
  ...storedCases,
  ...eventLogCases,
  ...cursorCases,
  ...workerCases,
  ...taskCases,
  ...rateCases,
  ...waitCases,
]

/**
 * Makes each case a test by `test` (any runner's: a name and an async function), on a broker of its own that
 * `open` gives and that is closed afterwards. A case is left out only for a reason, by its name in `skip`.
 */
export const conformance = (
  test: (name: string, run: () => Promise<void>) => void,
  open: () => Promise<Broker>,
  skip: Readonly<Record<string, string>> = {},
): void => {
  const unknown = Object.keys(skip).find((name) => !conformanceCases.some((each) => each.name === name))
  if (unknown !== undefined) throw new Error(`there is no case '${unknown}' to skip`)
  for (const { name, run } of conformanceCases) {
    if (skip[name] !== undefined) continue
    test(name, async () => {
      const broker = await open()
      try {
        await run(new Scene(broker))
      } finally {
        await broker.close()
      }
    })
  }
}
