// A producer: adds jobs in batches, first noting what it asks for, then what it was told, until its stdin ends or it is killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/client.ts'
import { evidenceFiles, noteAcknowledged, noteAsked } from '../support/evidence.ts'
import { SeededRandom } from '../support/random.ts'

/** So many jobs may wait before producers rest. */
const enough = 150

const [database = '', effects = '', name = '', seed = ''] = process.argv.slice(2)
const random = new SeededRandom(`${seed} ${name}`)
const files = { ...evidenceFiles(database), effects }
const queue = await connect(database)
let told = false
process.stdin.on('end', () => {
  told = true
})
process.stdin.resume()
process.stdin.on('error', () => process.exit(0))
// Killed is what it expects; a parent that is gone must end it as well.
for (let batch = 0; !told; batch++) {
  const { queued, running } = await queue.counts()
  if (queued + running > enough) {
    await sleep(5)
    continue
  }
  const size = random.pick([1, 1, 2, 5, 20]) ?? 1
  const keys = Array.from({ length: size }, (_, index) => `${name}.${batch}.${index}`)
  const at = Date.now() + (random.next() < 0.1 ? random.below(200) : 0)
  const jobs = keys.map((key) => orderOf(key, at))
  noteAsked(files, `${name}.${batch}`, keys)
  noteAcknowledged(files, `${name}.${batch}`, await queue.enqueueMany(jobs))
  await sleep(random.below(4))
}
await queue.close()

function orderOf(key: string, at: number) {
  const kind = random.weighted({ instant: 30, short: 30, failing: 10, final: 5, long: 5, program: 5 })
  const order = (ms: number, more = {}) => ({ task: 'record', payload: { key, file: effects, ms, ...more }, at })
  switch (kind) {
    case 'instant':
      return order(0)
    case 'short':
      return order(1 + random.below(10))
    case 'long':
      return order(50 + random.below(200))
    case 'failing':
      return { ...order(random.below(5), { failures: 1 + random.below(2) }), retries: 1, backoff: 'fixed:20ms' }
    case 'final':
      return { ...order(random.below(5), { last: 'fail' }), retries: 3 }
    case 'program':
      return { task: 'program', payload: { key, file: effects, seconds: `0.0${random.below(10)}` } }
  }
}
