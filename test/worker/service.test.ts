import assert from 'node:assert/strict'
import { it } from 'node:test'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { JobqError } from '../../src/errors.ts'
import type { ServiceManager } from '../../src/worker/service-manager.ts'
import { until } from '../support/until.ts'
import { openSite, watched } from './site.ts'

class RecordingManager implements ServiceManager {
  readonly watchdogMs = 40
  readonly told: string[] = []
  async send(assignments: readonly string[]): Promise<void> {
    this.told.push(...assignments)
  }
  get signs(): number {
    return this.told.filter((each) => each === 'WATCHDOG=1').length
  }
}

it('a loop that is stuck gives no signs of life, though the process does', async (context) => {
  const site = await openSite(context)
  const broker = SqliteBroker.open(site.database)
  context.after(() => broker.close())
  const goOn = Promise.withResolvers<void>()
  const stuck = Promise.withResolvers<void>()
  let hold = false
  const slow = watched(broker, 'settle', async () => {
    if (!hold) return
    stuck.resolve()
    await goOn.promise
  })
  const manager = new RecordingManager()
  await site.start({ broker: slow, serviceManager: manager })
  await until('signs of life', () => manager.signs > 2)
  hold = true
  const id = await site.queue.enqueue('note')
  await stuck.promise
  const heard = manager.signs
  // Time for many signs: each of these turns is as long as the watchdog waits.
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, manager.watchdogMs))
  assert.equal(manager.signs, heard)
  hold = false
  goOn.resolve()
  await site.reached(id, 'succeeded')
  await until('signs of life again', () => manager.signs > heard)
})

it('a worker that waits for its broker gives signs of life and says what it waits for', async (context) => {
  const site = await openSite(context)
  const broker = SqliteBroker.open(site.database)
  context.after(() => broker.close())
  let away = false
  const failing = watched(broker, 'settle', async () => {
    if (away) throw new JobqError('unavailable', 'it is away')
  })
  const manager = new RecordingManager()
  await site.start({ broker: failing, serviceManager: manager })
  away = true
  const id = await site.queue.enqueue('note')
  await until('the status', () => manager.told.some((each) => each.startsWith('STATUS=waiting for the broker')))
  const heard = manager.signs
  await until('signs of life', () => manager.signs > heard)
  away = false
  await site.reached(id, 'succeeded')
})
