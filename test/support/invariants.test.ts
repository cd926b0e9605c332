// The checker must be able to find each violation: a sound history is made through the broker, then spoiled in one way at a time.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import Database from 'better-sqlite3'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import type { ClaimedJob } from '../../src/job.ts'
import { ends, Scene } from '../broker/conformance/scene.ts'
import {
  appendLine,
  type Effect,
  type EvidenceFiles,
  evidenceFiles,
  noteAcknowledged,
  noteAsked,
  readEvidence,
} from './evidence.ts'
import { assertInvariants, violations } from './invariants.ts'

let folder = ''
let sound: EvidenceFiles
const ids: Record<string, number> = {}

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-invariants-'))
  fs.mkdirSync(path.join(folder, 'sound'))
  sound = evidenceFiles(path.join(folder, 'sound', 'jobs.db'))
  const scene = new Scene(SqliteBroker.open(sound.database))
  await soundHistory(scene)
  await scene.broker.close()
})

after(() => fs.rmSync(folder, { recursive: true, force: true }))

/** Jobs that went every way there is; each is known by its key. */
async function soundHistory(scene: Scene): Promise<void> {
  const add = async (
    keys: readonly string[],
    more: Parameters<Scene['add']>[0] = {},
    told = true,
  ): Promise<number[]> => {
    const batch = keys.join()
    noteAsked(sound, batch, keys)
    const jobs = keys.map((key) => ({ payload: { serializer: 'json', text: JSON.stringify({ key }) }, ...more }))
    const added = (await scene.addAll(jobs)).map(({ id }) => id)
    if (told) noteAcknowledged(sound, batch, added)
    for (const [index, key] of keys.entries()) ids[key] = added[index] ?? 0
    return added
  }
  const claim = async (key: string): Promise<ClaimedJob> => {
    const job = await scene.claimOne({ limit: 1 })
    assert.equal(job.id, ids[key], key)
    return job
  }
  const effect = (job: ClaimedJob, key: string, ...phases: Effect['phase'][]): void => {
    for (const phase of phases)
      appendLine(sound.effects, { job: job.id, attempt: job.attempt, token: job.token, key, phase, at: scene.at })
  }
  await add(['plain'])
  const plain = await claim('plain')
  effect(plain, 'plain', 'begin', 'end')
  await scene.settle(scene.started(plain), scene.finished(plain, ends.succeeded()))

  await add(['retried'], { retries: 1 })
  let job = await claim('retried')
  effect(job, 'retried', 'begin', 'fail')
  await scene.settle(scene.finished(job, ends.retried(scene.at + 100)))
  scene.pass(100)
  job = await claim('retried')
  effect(job, 'retried', 'begin', 'end')
  await scene.settle(scene.finished(job, ends.succeeded()))

  // Its worker stalls, another lease is given out, the first one's report comes too late.
  await add(['stalled'])
  const stalled = await claim('stalled')
  await scene.settle(scene.started(stalled))
  effect(stalled, 'stalled', 'begin')
  scene.pass(40_000)
  job = await claim('stalled')
  await scene.settle(scene.started(job))
  effect(job, 'stalled', 'begin')
  effect(stalled, 'stalled', 'end')
  await scene.settle(scene.finished(stalled, ends.succeeded()))
  effect(job, 'stalled', 'end')
  await scene.settle(scene.finished(job, ends.succeeded()))

  await add(['poison'])
  for (let crash = 1; crash <= 3; crash++) {
    job = await claim('poison')
    effect(job, 'poison', 'begin')
    const error = { type: 'PoisonJob', message: 'it died' }
    const end = crash < 3 ? ends.crashed(scene.at) : { ...ends.failed(), crashed: true, error }
    await scene.settle(scene.started(job), scene.finished(job, end))
  }

  await add(['final'], { retries: 5 })
  job = await claim('final')
  effect(job, 'final', 'begin', 'final')
  await scene.settle(scene.finished(job, ends.failed()))

  await add(['again'])
  job = await claim('again')
  effect(job, 'again', 'begin')
  await scene.settle(scene.started(job), scene.finished(job, ends.cancelled()))
  await scene.broker.requeue([job.id], scene.at, scene.now())
  job = await claim('again')
  effect(job, 'again', 'begin', 'end')
  await scene.settle(scene.finished(job, ends.succeeded()))

  await add(['need'])
  await add(['dependent'], { after: [ids.need ?? 0] })
  await add(['cancelled'], { dueAt: scene.at + 1e6 })
  await scene.broker.cancel({ ids: [ids.cancelled ?? 0] }, 'Cancelled', scene.now())
  for (const key of ['need', 'dependent']) {
    job = await claim(key)
    effect(job, key, 'begin', 'end')
    await scene.settle(scene.finished(job, ends.succeeded()))
  }
  await add(['pair-1', 'pair-2'], { queue: 'pairs' }, false)
  for (const key of ['pair-1', 'pair-2']) {
    job = await claim(key)
    effect(job, key, 'begin', 'end')
    await scene.settle(scene.finished(job, ends.succeeded()))
  }
}

test('a sound history violates nothing', () => assertInvariants(sound))

const job = (key: string): number => {
  const id = ids[key]
  assert.ok(id, key)
  return id
}
const event = (type: string, key: string): string =>
  `(SELECT id FROM event_view WHERE type = '${type}' AND job = ${job(key)} ORDER BY id LIMIT 1)`
const remove = (type: string, key: string): string => `DELETE FROM jobq_events WHERE id = ${event(type, key)}`
const addEvent = (type: number, key: string, more = 'NULL'): string =>
  `INSERT INTO jobq_events(at, type, job, attempt, data) SELECT max(at), ${type}, ${job(key)}, 1, ${more} FROM jobq_events`

interface Spoiled {
  readonly name: string
  readonly expected: RegExp
  readonly sql?: () => string
  readonly effects?: (effects: Effect[]) => Effect[]
  readonly file?: (files: EvidenceFiles) => void
}

const ofJob = (key: string) => (effect: Effect) => effect.key === key
const without = (effects: Effect[], key: string, phase: Effect['phase']): Effect[] =>
  effects.filter((effect) => !(effect.key === key && effect.phase === phase))
const changed = (effects: Effect[], key: string, change: (effect: Effect) => Effect): Effect[] =>
  effects.map((effect) => (effect.key === key ? change(effect) : effect))
const repeated = (effects: Effect[], key: string, change: (effect: Effect) => Effect): Effect[] => [
  ...effects,
  ...effects
    .filter((effect) => ofJob(key)(effect) && effect.phase === 'begin')
    .slice(-1)
    .map(change),
]

const spoiled: readonly Spoiled[] = [
  {
    name: 'an acknowledged job is lost',
    expected: /^1: job \d+ was acknowledged and is not there/,
    sql: () => `DELETE FROM jobq_jobs WHERE id = ${job('plain')}`,
  },
  {
    name: 'an acknowledged id is another job',
    expected: /^1: job \d+ was acknowledged for plain and is other/,
    sql: () => `UPDATE jobq_jobs SET payload = '{"key":"other"}' WHERE id = ${job('plain')}`,
  },
  {
    name: 'half of a batch is there',
    expected: /^1: batch pair-1,pair-2 has 1 of its 2 jobs/,
    sql: () => `DELETE FROM jobq_jobs WHERE id = ${job('pair-2')}`,
  },
  {
    name: 'no event says that a job came',
    expected: /^1: job \d+ has 0 events job.queued/,
    sql: () => remove('job.queued', 'plain'),
  },
  { name: 'two events say so', expected: /^1: job \d+ has 2 events job.queued/, sql: () => addEvent(0, 'plain') },
  {
    name: 'a job that nobody asked for',
    expected: /^2: job \d+ \(ghost\) was never asked for/,
    sql: () => `INSERT INTO enqueue(task, payload) VALUES ('work', '{"key":"ghost"}')`,
  },
  {
    name: 'one request made two jobs',
    expected: /^2: plain was asked for once and is there as jobs/,
    sql: () => `INSERT INTO enqueue(task, payload) VALUES ('work', '{"key":"plain"}')`,
  },
  {
    name: 'an effect of no job',
    expected: /^2: job 9999 did something/,
    effects: (effects) => repeated(effects, 'plain', (effect) => ({ ...effect, job: 9999 })),
  },
  {
    name: "an effect of another job's payload",
    expected: /^2: job \d+ was asked for as plain and ran as final/,
    effects: (effects) => changed(effects, 'plain', (effect) => ({ ...effect, key: 'final' })),
  },
  {
    name: 'a job ends twice',
    expected: /^3: job \d+ was succeeded and has job.failed/,
    sql: () => addEvent(4, 'plain'),
  },
  {
    name: 'a finished job starts again',
    expected: /^3: job \d+ was succeeded and has job.started/,
    sql: () => addEvent(1, 'plain'),
  },
  {
    name: 'success without the work',
    expected: /^4: job \d+ succeeded without having done its work/,
    effects: (effects) => without(effects, 'plain', 'end'),
  },
  {
    name: 'success by the work of a lost lease',
    expected: /^4: job \d+ succeeded without having done its work/,
    effects: (effects) =>
      effects.filter(
        (effect, index) =>
          !(
            effect.key === 'stalled' &&
            effect.phase === 'end' &&
            effects.findIndex((other) => other.key === 'stalled' && other.phase === 'end') !== index
          ),
      ),
  },
  {
    name: 'failure with attempts left',
    expected: /^4: job \d+ failed \(Error\) in attempt 1 of 6/,
    effects: (effects) => without(effects, 'final', 'final'),
  },
  {
    name: 'given up before its time',
    expected: /^4: job \d+ was given up after 2 crashes of 3/,
    sql: () =>
      `${remove('job.recovered', 'poison')}; DELETE FROM jobq_events WHERE id = (SELECT id FROM event_view WHERE type = 'job.started' AND job = ${job('poison')} ORDER BY id LIMIT 1)`,
  },
  {
    name: 'a crash counted that was a stop',
    expected: /^4: job \d+ was given up after 2 crashes of 3/,
    sql: () => `UPDATE jobq_events SET data = '{"started":true}' WHERE id = ${event('job.recovered', 'poison')}`,
  },
  {
    name: 'one claim starts twice',
    expected: /^5: job \d+ began twice in one claim/,
    effects: (effects) => repeated(effects, 'plain', (effect) => effect),
  },
  {
    name: 'two starts without an end between',
    expected: /^5: job \d+ was running and has job.started/,
    sql: () => remove('job.recovered', 'stalled'),
  },
  {
    name: 'an attempt is skipped',
    expected: /^5: job \d+ started attempt 2, not 1/,
    sql: () => `UPDATE jobq_events SET attempt = 2 WHERE id = ${event('job.started', 'plain')}`,
  },
  {
    name: 'a run that nobody recorded',
    expected: /^5: job \d+ began 2 times, 1 starts/,
    effects: (effects) => repeated(effects, 'plain', (effect) => ({ ...effect, token: effect.token + 1000 })),
  },
  {
    name: 'a stale report under the lease that ended the job',
    expected: /^6: job \d+ has a stale report under the lease/,
    sql: () =>
      `UPDATE jobq_events SET data = json_set(data, '$.token', (SELECT token FROM jobq_jobs WHERE id = ${job('stalled')})) WHERE id = ${event('job.stale', 'stalled')}`,
  },
  {
    name: 'a stale report changes the job',
    expected: /^10: job \d+ is failed, its events say succeeded/,
    sql: () => `UPDATE jobq_jobs SET state = 5 WHERE id = ${job('stalled')}`,
  },
  {
    name: 'a repetition without an interruption',
    expected: /^7: job \d+ began 2 times for 1 runs and 0 interruptions/,
    effects: (effects) => repeated(effects, 'plain', (effect) => ({ ...effect, token: effect.token + 1000 })),
  },
  {
    name: 'an older lease begins after a newer one',
    expected: /^8: job \d+ began under lease \d+ after lease/,
    effects: (effects) => repeated(effects, 'retried', (effect) => ({ ...effect, token: effect.token - 1 })),
  },
  {
    name: 'a start before the due time',
    expected: /^9: job \d+ started \d+ ms before it was due/,
    sql: () => `UPDATE jobq_events SET data = '{"dueAt":9000000000000}' WHERE id = ${event('job.queued', 'plain')}`,
  },
  {
    name: 'an effect before the due time of a retry',
    expected: /^9: job \d+ began 50 ms before it was due/,
    effects: (effects) =>
      changed(effects, 'retried', (effect) =>
        effect.attempt === 2 ? { ...effect, at: (effect.at ?? 0) - 50 } : effect,
      ),
  },
  {
    name: 'a start after the cancel',
    expected: /^3: job \d+ was cancelled and has job.started/,
    sql: () => addEvent(1, 'cancelled'),
  },
  {
    name: 'an effect of a cancelled job',
    expected: /^5: job \d+ began 1 times, 0 starts/,
    effects: (effects) =>
      repeated(effects, 'plain', (effect) => ({ ...effect, job: job('cancelled'), key: 'cancelled' })),
  },
  {
    name: 'a dependent starts too early',
    expected: /^9: job \d+ started before job \d+, which it needs/,
    sql: () => `UPDATE jobq_events SET id = -1 WHERE id = ${event('job.started', 'dependent')}`,
  },
  {
    name: 'a blocked job starts',
    expected: /^9: job \d+ was blocked and has job.started/,
    sql: () => remove('job.released', 'dependent'),
  },
  {
    name: 'the log and the job differ in the attempt',
    expected: /^10: job \d+ is in attempt 7, its events say 1/,
    sql: () => `UPDATE jobq_jobs SET attempt = 7 WHERE id = ${job('plain')}`,
  },
  {
    name: 'a success without a start',
    expected: /^10: job \d+ was queued and has job.succeeded/,
    sql: () => remove('job.started', 'plain'),
  },
  {
    name: 'events of a job that is not there',
    expected: /^10: job \d+ has events and is not there/,
    sql: () => `DELETE FROM jobq_jobs WHERE id = ${job('cancelled')}`,
  },
  {
    name: 'a queue counts wrongly',
    expected: /^10: queue pairs says 3 succeeded and has 2/,
    sql: () => `UPDATE jobq_queues SET succeeded = 3 WHERE name = 'pairs'`,
  },
  {
    name: 'a job is never run',
    expected: /^11: job \d+ is still queued/,
    sql: () => `UPDATE jobq_jobs SET state = 1 WHERE id = ${job('plain')}`,
  },
  {
    name: 'a job waits that is over',
    expected: /^10: the file is damaged: it is not true that job \d+ waits as it says/,
    sql: () =>
      `INSERT INTO jobq_ready SELECT queue, -priority, due_at, id, id FROM jobq_jobs WHERE id = ${job('plain')}`,
  },
  {
    name: 'a job waits that is not there',
    expected: /^10: the file is damaged: it is not true that job \d+ is there, with those that wait together with it/,
    sql: () => 'INSERT INTO jobq_ready SELECT 1, -5, 0, max(id), max(id) + 1 FROM jobq_jobs',
  },
  {
    name: 'a ready job is nowhere to be had',
    expected: /^10: the file is damaged: it is not true that job \d+ is either waiting or in hand when it is ready/,
    sql: () => `UPDATE jobq_jobs SET state = 1 WHERE id = ${job('plain')}`,
  },
  {
    name: "a running job is in nobody's hands",
    expected: /^10: the file is damaged: it is not true that job \d+ is in hand when it runs/,
    sql: () => `UPDATE jobq_jobs SET state = 3 WHERE id = ${job('plain')}`,
  },
  {
    name: 'somebody holds a job that is over',
    expected: /^10: the file is damaged: it is not true that job \d+ is ready or runs when it is in hand/,
    sql: () => `INSERT INTO jobq_leases VALUES (${job('plain')}, ${job('plain')}, 1, 1, 1, 0)`,
  },
  {
    name: 'a job has an end of its own and another',
    expected: /^10: the file is damaged: it is not true that job \d+ has one end only/,
    sql: () => `INSERT INTO jobq_ends VALUES (${job('cancelled')}, ${job('cancelled')}, 1, 1, 1, 1, 1, 1)`,
  },
  { name: 'an index lacks an entry', expected: /^10: the file is damaged/, file: (files) => dropIndexEntries(files) },
]

/** Makes an index into one of other rows, behind SQLite's back: its entries are then missing. */
const dropIndexEntries = (files: EvidenceFiles): void => {
  const database = new Database(files.database)
  database.unsafeMode()
  database.pragma('writable_schema = ON')
  database
    .prepare(
      "UPDATE sqlite_schema SET sql = replace(sql, 'IN (0, 3, 5, 6)', 'IN (0, 3, 4)') WHERE name = 'jobq_jobs_rare'",
    )
    .run()
  database.close()
}

/** Brings all ends into the jobs' own rows, where they can be spoiled. */
const foldEnds = `
  UPDATE jobq_jobs SET (state, attempt, spent, token, worker, pid, started_at, finished_at) =
    (SELECT state, attempt, spent, token, worker, pid, started_at, finished_at FROM jobq_current c WHERE c.id = jobq_jobs.id)
    WHERE EXISTS (SELECT 1 FROM jobq_ends WHERE id BETWEEN job AND last);
  INSERT INTO jobq_events(id, at, type, job, task, queue, worker, attempt)
    SELECT id - 1, at - runtime_ms, 1, job, task, queue, worker, attempt FROM jobq_events WHERE type < 0;
  UPDATE jobq_events SET type = abs(type) WHERE type < 0;
  DELETE FROM jobq_ends`

for (const [index, { name, expected, sql, effects, file }] of spoiled.entries()) {
  test(`it finds: ${name}`, () => {
    const target = path.join(folder, String(index))
    fs.cpSync(path.dirname(sound.database), target, { recursive: true })
    const files = evidenceFiles(path.join(target, 'jobs.db'))
    if (sql) {
      const database = new Database(files.database)
      database.exec(foldEnds)
      database.exec(sql())
      database.close()
    }
    if (effects) {
      const before = readEvidence(files).effects
      fs.rmSync(files.effects)
      for (const effect of effects([...before])) appendLine(files.effects, effect)
    }
    file?.(files)
    const found = violations(readEvidence(files))
    assert.ok(
      found.some((line) => expected.test(line)),
      `found only:\n${found.join('\n')}`,
    )
    assert.throws(() => assertInvariants(files))
  })
}

test('unfinished jobs are no violation where the run allows them', () => {
  const target = path.join(folder, 'unfinished')
  fs.cpSync(path.dirname(sound.database), target, { recursive: true })
  const files = evidenceFiles(path.join(target, 'jobs.db'))
  const database = new Database(files.database)
  noteAsked(files, 'late', ['late'])
  database.exec(`INSERT INTO enqueue(task, payload) VALUES ('work', '{"key":"late"}')`)
  database.close()
  assert.deepEqual(violations(readEvidence(files), { unfinished: true }), [])
  assert.match(violations(readEvidence(files)).join(), /^11: job \d+ is still queued$/)
})

test('an acknowledgement of what nobody asked for is an error of the run itself', () => {
  const target = path.join(folder, 'unasked')
  fs.cpSync(path.dirname(sound.database), target, { recursive: true })
  const files = evidenceFiles(path.join(target, 'jobs.db'))
  noteAcknowledged(files, 'unasked', [1])
  assert.throws(() => readEvidence(files), /never asked for/)
})
