// Opens a queue file, adds a job, closes it, again and again: `open-and-close.ts DATABASE TIMES`.
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { systemClock } from '../../src/clock.ts'
import { newJob } from '../../src/new-job.ts'

const [database = '', times = ''] = process.argv.slice(2)
for (let time = 0; time < Number(times); time++) {
  const broker = SqliteBroker.open(database)
  const now = systemClock.now()
  broker.enqueueSync([newJob({ task: 'none', payload: 'x'.repeat(20_000) }, { now: now.at })], now)
  await broker.close()
}
