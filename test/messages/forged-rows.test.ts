// Rows that somebody else wrote: whatever their columns hold, the worker parks what cannot be read and runs the rest.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import Database from 'better-sqlite3'
import { Workspace } from '../support/cli.ts'
import { list, runAll } from './scenery.ts'

const workspace = new Workspace()
after(() => workspace.remove())

/** What is set in the row of a job, and what its `Rejected` says; null where the job runs nevertheless. */
const forgeries: readonly (readonly [change: string, said: RegExp | null])[] = [
  [`coding = '{oops'`, /how it is stored is not said in JSON/],
  [`coding = '[1]'`, /how it is stored is not said in JSON/],
  [`coding = x'7b7d00'`, /how it is stored is not said in JSON/],
  [`coding = '{"signature":5}'`, /its signature is not text/],
  [`coding = '{"compression":["gzip"]}'`, /its compression is not text/],
  [`coding = '{"compression":"__proto__"}'`, /no compressor "__proto__"/],
  [`coding = '{"encryption":null}'`, /its encryption is not text/],
  [`coding = '{"unreadable":"x","text":"7","binary":true}', payload = '1'`, null],
  [`serializer = 'constructor'`, /no serializer reads "constructor"/],
  [`serializer = x'00ff'`, /no serializer reads/],
  [`serializer = 5`, /no serializer reads "5"/],
  [`signature = x'00', coding = '{}'`, /its signature is not a signature/],
  [`payload = 5`, null],
  [`payload = 1e999`, /is not valid JSON/],
  [`payload = zeroblob(300000000)`, /more than 256M/],
  [`payload = '"' || hex(zeroblob(600000)) || '"'`, /more than the allowed 1M/],
  [`payload = '"' || replace(hex(zeroblob(600000)), '0', 'x') || '"'`, /more than the allowed 1M/],
  [`options = '{oops'`, /its options are none/],
  [`options = 'null'`, /its options are none/],
  [`options = '{"timeLimitMs":"1h"}'`, /its options are none/],
  [`options = '{"backoff":{"kind":"none"}}'`, /its options are none/],
  [`meta = '{oops'`, null],
  [`meta = x'00'`, null],
  [`tags = '{oops'`, null],
  [`result = 'x', result_coding = '{oops'`, null],
]

describe('forged rows', () => {
  it('are parked or run, each by itself, and can all be looked at', async () => {
    workspace.write('tasks/count.js', 'export default () => {}\n')
    const lines = forgeries.map(() => '{"task":"count","payload":1,"meta":{"a":"b"}}\n').join('')
    await workspace.output(['enqueue', '--batch'], { input: lines })
    const database = new Database(workspace.database)
    for (const [index, [change]] of forgeries.entries()) {
      database.exec(`UPDATE jobq_jobs SET ${change} WHERE id = ${index + 1}`)
    }
    database.close()

    await workspace.output(['ls', '--tag', 'x'])
    await runAll(workspace)
    const jobs = new Map((await list(workspace)).map((job) => [Number(job.id), job]))
    assert.equal(jobs.size, forgeries.length)
    for (const [index, [change, said]] of forgeries.entries()) {
      const { state, error } = jobs.get(index + 1) ?? assert.fail(change)
      assert.equal(state, said === null ? 'succeeded' : 'failed', change)
      if (said === null) continue
      assert.equal(error?.type, 'Rejected', change)
      assert.match(error.message, said, change)
    }
  })
})
