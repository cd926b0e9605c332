// The short form of the fuzz run: 20,000 inputs a target. JOBQ_FUZZ_FOR=10m reads on for so long with each target,
// JOBQ_FUZZ_SEED=… repeats a run, JOBQ_FUZZ_ONLY=yaml,gzip leaves the other targets out.
import { after, test } from 'node:test'
import { parseDuration } from '../../src/duration.ts'
import { SeededRandom } from '../support/random.ts'
import { compressorTargets, serializerTargets } from './codecs.ts'
import { batchTarget, valuesTarget } from './command-line.ts'
import { configTarget, controlTarget } from './documents.ts'
import { fuzz } from './fuzz.ts'
import { sealTargets } from './seals.ts'
import { sqlViewTarget } from './sql-view.ts'

const { seed } = new SeededRandom(process.env.JOBQ_FUZZ_SEED)
const forMs = parseDuration(process.env.JOBQ_FUZZ_FOR ?? '0s')
const only = process.env.JOBQ_FUZZ_ONLY?.split(',')
const timeBoxMs = forMs + 10 * 60_000

const targets = [
  ...serializerTargets,
  ...compressorTargets,
  ...sealTargets,
  batchTarget,
  valuesTarget,
  configTarget,
  controlTarget,
  sqlViewTarget,
]

for (const target of targets) {
  if (only?.includes(target.name) === false) continue
  test(`${target.name} reads or refuses whatever it is given`, { timeout: timeBoxMs }, async (t) => {
    after(() => target.end?.())
    const inputs = await fuzz(target, { seed, inputs: 20_000, forMs })
    t.diagnostic(`${inputs} inputs of seed ${seed}`)
  })
}
