// Works with a queue file and tells each time what it was told: `writer.ts DATABASE ACKNOWLEDGED ROUNDS full|normal`. A line
// `queued ID…` or `succeeded ID…` is written once the broker has answered, to be trusted from then on.
import fs from 'node:fs'
import Database from 'better-sqlite3'
import { SqliteBroker } from '../../../src/broker/sqlite/sqlite-broker.ts'
import { systemClock } from '../../../src/clock.ts'
import { newJob } from '../../../src/new-job.ts'
import { SeededRandom } from '../../support/random.ts'

const [file = '', acknowledged = '', rounds = '', synchronous = ''] = process.argv.slice(2)
const random = new SeededRandom('writer')
const tell = fs.openSync(acknowledged, 'a')
const succeeded = { to: 'succeeded', event: 'job.succeeded', spent: true, crashed: false, result: null } as const

/** `normal` is what SQLite does by itself, the control that must lose something. */
const open = (): { readonly broker: SqliteBroker; readonly close: () => Promise<void> } => {
  if (synchronous === 'full') {
    const broker = SqliteBroker.open(file)
    return { broker, close: () => broker.close() }
  }
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  const broker = SqliteBroker.attach(database)
  database.pragma('synchronous = NORMAL')
  return {
    broker,
    close: async () => {
      await broker.close()
      database.close()
    },
  }
}

for (let round = 0; round < Number(rounds); round++) {
  // Closing writes the log back into the file.
  const { broker, close } = open()
  const process = { host: 'here', pid: 1, boot: 'b', startTime: '1' }
  const worker = await broker.workers.join({ name: 'w', process, queues: null }, systemClock.now())
  for (let step = 0; step < 8; step++) {
    const now = systemClock.now()
    const payload = 'x'.repeat(random.below(6_000))
    const jobs = Array.from({ length: 1 + random.below(3) }, () => newJob({ task: 't', payload }, { now: now.at }))
    const added = await broker.enqueue(jobs, now)
    fs.writeSync(tell, `queued ${added.map(({ id }) => id).join(' ')}\n`)
    const claim = { queues: null, order: 'weighted', limit: 2, worker, leaseMs: 60_000 } as const
    const claimed = await broker.claim(claim, systemClock.now())
    const at = systemClock.now().at
    const reports = claimed.map(({ id, token, attempt }) => ({
      kind: 'finished' as const,
      ...{ id, token, attempt, at, startedAt: at, pid: 1, transition: succeeded },
    }))
    await broker.settle(reports, systemClock.now())
    fs.writeSync(tell, `succeeded ${claimed.map(({ id }) => id).join(' ')}\n`)
  }
  await broker.workers.leave(worker, systemClock.now())
  await close()
}
