// A producer: adds jobs in batches, first noting what it asks for, then what it was told, until its stdin ends or it is killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/client.ts'
import { JobqError } from '../../src/errors.ts'
import { evidenceFiles, noteAcknowledged, noteAsked } from '../support/evidence.ts'
import { SeededRandom } from '../support/random.ts'

/** So many jobs may wait before producers rest. */
const enough = 150

const [database = '', effects = '', name = '', seed = ''] = process.argv.slice(2)
const random = new SeededRandom(`${seed} ${name}`)
const files = { ...evidenceFiles(database), effects }
const queue = await connect(database)
const added: number[] = []
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
  const jobs = keys.map((key) => ({ ...orderOf(key, at), ...standing() }))
  noteAsked(files, `${name}.${batch}`, keys)
  const ids = await queue.enqueueMany(jobs)
  noteAcknowledged(files, `${name}.${batch}`, ids)
  added.push(...ids)
  if (random.next() < 0.2) await intervene()
  await sleep(random.below(4))
}
await queue.close()

/** Where a job stands among the others: its queue, its priority, and what it waits for. */
function standing() {
  const need = random.next() < 0.1 ? random.pick(added.slice(-20)) : undefined
  return {
    queue: random.pick(['default', 'default', 'urgent', 'bulk/night']) ?? 'default',
    priority: random.below(10),
    ...(need === undefined ? {} : random.next() < 0.5 ? { after: need } : { afterAny: need }),
  }
}

/** Cancels or runs again one of the last jobs, whatever has become of it. */
async function intervene(): Promise<void> {
  const id = random.pick(added.slice(-40))
  if (id === undefined) return
  if (random.next() < 0.5) await queue.cancel(id)
  else {
    await queue.retry(id).catch((error: unknown) => {
      if (!(error instanceof JobqError && error.code === 'conflict')) throw error
    })
  }
}

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
