import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { openDatabase } from '../../src/broker/sqlite/native.ts'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { conformance } from './conformance/conformance.ts'
import { compareWithModel } from './conformance/model.ts'

/** The jobs that the rows of a table of stretches cover. */
const coveredBy = (table: string): string =>
  `SELECT c.id FROM ${table} s CROSS JOIN jobq_jobs c ON c.id BETWEEN s.job AND s.last`

/** Stretches that overlap, are none, or cover jobs that do not exist. */
const unsound = (table: string): string => `SELECT '${table} unsound' AS wrong, job FROM ${table} s WHERE last < job
  OR EXISTS (SELECT 1 FROM ${table} o WHERE o.job > s.job AND o.job <= s.last)
  OR (SELECT count(*) FROM jobq_jobs WHERE id BETWEEN s.job AND s.last) <> last - job + 1`

/** What the tables must agree on, whatever was done to them: queries that give a row where they do not. */
const disagreements = [
  unsound('jobq_leases'),
  unsound('jobq_ends'),
  unsound('jobq_ready'),
  `SELECT 'ready without a lease, not listed' AS wrong, id FROM jobq_current j WHERE state = 1
     AND id NOT IN (${coveredBy('jobq_leases')}) AND id NOT IN (SELECT job FROM jobq_throttled) AND NOT EXISTS (SELECT 1 FROM jobq_ready WHERE queue = j.queue AND rank = -j.priority AND due_at = j.due_at AND j.id BETWEEN job AND last)`,
  `SELECT 'listed and not to be had' AS wrong, id FROM (${coveredBy('jobq_ready')}) WHERE id NOT IN (SELECT id FROM jobq_current WHERE state = 1)
     OR id IN (${coveredBy('jobq_leases')}) OR id IN (SELECT job FROM jobq_throttled)`,
  `SELECT 'listed elsewhere than its row says' AS wrong, c.id FROM jobq_ready s CROSS JOIN jobq_jobs c ON c.id BETWEEN s.job AND s.last
     WHERE (c.queue, -c.priority, c.due_at) IS NOT (s.queue, s.rank, s.due_at)`,
  `SELECT 'counted wrongly' AS wrong, name FROM queue_view v WHERE queued <>
     (SELECT count(*) FROM jobq_current j JOIN jobq_queues q ON q.id = j.queue WHERE q.name = v.name AND j.state IN (1, 2))`,
  `SELECT 'throttled and not as its row says' AS wrong, job FROM jobq_throttled
     WHERE (task, rank, due_at, job) NOT IN (SELECT task, -priority, due_at, id FROM jobq_current WHERE state = 1)`,
  `SELECT 'leased and not in a worker''s hands' AS wrong, id FROM (${coveredBy('jobq_leases')}) WHERE id NOT IN (SELECT id FROM jobq_current WHERE state IN (1, 3))`,
  `SELECT 'running without a lease' AS wrong, id FROM jobq_jobs WHERE state = 3 AND id NOT IN (${coveredBy('jobq_leases')})`,
  `SELECT 'ended apart and something else in its row' AS wrong, id FROM (${coveredBy('jobq_ends')})
     WHERE id NOT IN (SELECT id FROM jobq_jobs WHERE state = 1 AND attempt = 0 AND expires_at IS NULL AND unique_key IS NULL)`,
  `SELECT 'ended apart without its events' AS wrong, e.job FROM
       (SELECT c.id AS job, e.event_shift + 2 * c.id AS event FROM jobq_ends e CROSS JOIN jobq_jobs c ON c.id BETWEEN e.job AND e.last) e
     WHERE e.event - 1 > (SELECT value FROM jobq_meta WHERE key = 'events_pruned')
       AND (SELECT group_concat(job || ' ' || type) FROM jobq_events WHERE id IN (e.event - 1, e.event)) IS NOT e.job || ' -3'`,
]

describe('SqliteBroker', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-conformance-'))
  const files: string[] = []
  after(() => fs.rmSync(folder, { recursive: true }))

  const open = async () => {
    const file = path.join(folder, `${files.length}.db`)
    files.push(file)
    return SqliteBroker.open(file)
  }
  conformance(it, open)
  it('does what the memory broker does, whatever it is asked', () => compareWithModel(open, 60))

  it('leaves tables that agree with each other after all of this', () => {
    for (const file of files) {
      const database = openDatabase(file, { readonly: true })
      for (const query of disagreements) assert.deepEqual(database.prepare(query).all(), [], file)
      assert.equal(database.pragma('integrity_check', { simple: true }), 'ok')
      database.close()
    }
  })
})
