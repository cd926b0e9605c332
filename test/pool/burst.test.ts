// Bursts in real children: whatever their jobs do, and whatever is done to the child, each job runs in its turn and
// comes back exactly once.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { Burst } from '../../src/burst.ts'
import type { PoolChild, PoolOptions, RunJob } from '../../src/pool/pool.ts'
import { SeededRandom } from '../support/random.ts'
import { sampleAlike } from '../support/samples.ts'
import { jobOf, type PoolFixture, startPool, untilGone } from './pool-fixture.ts'

/** A task that writes down which jobs ran, and does what its payload says. */
const task = `import fs from 'node:fs'
import path from 'node:path'
const file = path.join(import.meta.dirname, '..', 'ran')
const acts = {
  result: () => 5,
  fail: () => { throw new Error('broken') },
  slow: () => new Promise((resolve) => setTimeout(resolve, 40)),
  progress: (job) => job.progress(0.5, 'half'),
  enqueue: (job) => job.enqueue('do'),
  wait: (job) => new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason))),
  exit: () => process.exit(3),
  kill: () => process.kill(process.pid, 'SIGKILL'),
}
export default (act, job) => {
  fs.appendFileSync(file, job.id + '\\n')
  return act === null ? undefined : acts[act](job)
}
`

/** What a job may do; null: nothing. */
type Act = 'result' | 'fail' | 'slow' | 'progress' | 'enqueue' | 'wait' | 'exit' | 'kill' | null

/** A burst of a job for each act. */
const burstOf = (acts: readonly Act[]): Burst => {
  const jobs = acts.map((act) => jobOf('do', act))
  const [first] = jobs
  assert.ok(first)
  const like = sampleAlike({ token: first.token, task: 'do' })
  const createdAt = jobs.map((job) => job.createdAt)
  const payloads = jobs.map(({ payload }) => payload.text)
  return new Burst(like, { ids: jobs.map(({ id }) => id), createdAt, dueAt: createdAt, payloads: payloads.join('\n') })
}

const plain = (count: number): Act[] => Array(count).fill(null)
const amid = (act: Act, before = 30, after = 40): Act[] => [...plain(before), act, ...plain(after)]

/** A child that has learnt that the task is short, and everything that becomes of the jobs it is given. */
class Site {
  readonly fixture: PoolFixture
  readonly child: PoolChild<RunJob>
  readonly #file: string
  /** What the listener was told of the warm-up, and the jobs given since the child's start. */
  #before = 0
  #given = 0

  private constructor(fixture: PoolFixture) {
    this.fixture = fixture
    this.child = fixture.child()
    this.#file = path.join(fixture.folder, 'ran')
  }

  static async open(
    context: TestContext,
    options: Partial<PoolOptions<RunJob>> & { readonly size?: number } = {},
  ): Promise<Site> {
    let site: Site | null = null
    const fixture = await startPool(
      context,
      { 'do.mjs': task },
      { ...options, answer: async () => 1, watch: () => site?.check() },
    )
    const child = fixture.child()
    const warmUp = Array.from({ length: 20 }, () => jobOf('do'))
    child.run(warmUp)
    await fixture.until('ended', ({ job }) => job === warmUp.at(-1))
    site = new Site(fixture)
    site.#before = fixture.told.length
    site.#given = child.processed
    return site
  }

  run(...pieces: (RunJob | Burst)[]): void {
    for (const piece of pieces) this.#given += piece instanceof Burst ? piece.size : 1
    this.child.run(pieces)
    this.check()
  }

  /** What was told since the warm-up. */
  get told() {
    return this.fixture.told.slice(this.#before)
  }

  /** How each job came back, in the order of its coming. */
  get back(): [id: number, how: string][] {
    return this.told.flatMap((each): [number, string][] => {
      switch (each.type) {
        case 'succeeded':
          return each.ids.map((id) => [id, 'succeeded'])
        case 'ended':
          return [[each.job.id, each.outcome.type]]
        case 'returned':
          return each.ids.map((id) => [id, 'not run'])
        case 'exited':
          return each.jobs.map(({ job, started }) => [job.id, `interrupted: ${started}`])
        default:
          return []
      }
    })
  }

  /** The jobs that ran, in their order. */
  get ran(): number[] {
    return fs.readFileSync(this.#file, 'utf8').trim().split('\n').slice(20).map(Number)
  }

  /** Whatever is told: what the child says of its work agrees with what has come back. */
  check(): void {
    const { inFlight, processed } = this.child
    const gone = this.told.some(({ type }) => type === 'exited')
    if (gone) return
    const unrun = this.back.filter(([, how]) => how === 'not run').length
    assert.equal(inFlight + processed + unrun, this.#given)
  }

  /** Waits until so many jobs came back, and checks that each of them did once. */
  async allBack(...bursts: Burst[]): Promise<Map<number, string>> {
    const ids = bursts.flatMap((burst) => burst.ids)
    while (this.back.length < ids.length) {
      const seen = this.fixture.told.length
      await Promise.race([
        this.fixture.until('succeeded', (each) => this.fixture.told.indexOf(each) >= seen),
        this.fixture.until('ended', (each) => this.fixture.told.indexOf(each) >= seen),
        this.fixture.until('returned', (each) => this.fixture.told.indexOf(each) >= seen),
        this.fixture.until('exited', (each) => this.fixture.told.indexOf(each) >= seen),
      ])
    }
    assert.deepEqual(
      this.back.map(([id]) => id).toSorted((a, b) => a - b),
      ids.toSorted((a, b) => a - b),
    )
    return new Map(this.back)
  }
}

/** The ids behind one of them. */
const behind = (burst: Burst, place: number): readonly number[] => burst.ids.slice(place + 1)

test('the jobs of bursts run one by one in their order, and those of others between them', async (context) => {
  const site = await Site.open(context)
  const bursts = [burstOf(plain(100)), burstOf(plain(1)), burstOf(plain(256))]
  const single = jobOf('do')
  const last = burstOf(plain(50))
  site.run(...bursts, single, last)
  assert.equal(site.child.inFlight, 408)
  await site.fixture.until('succeeded', ({ ids }) => ids.includes(last.ids.at(-1) ?? 0))
  const ids = [...bursts.flatMap((burst) => burst.ids), single.id, ...last.ids]
  assert.deepEqual(site.ran, ids)
  assert.deepEqual([site.child.inFlight, site.child.processed, site.child.state], [0, 20 + 408, 'idle'])
  assert.deepEqual(
    site.back.map(([id]) => id).toSorted((a, b) => a - b),
    ids,
  )
  for (const each of site.told) {
    if (each.type !== 'succeeded') continue
    assert.ok(each.pid === site.child.pid && each.at >= each.startedAt && each.count === each.ids.length)
  }
  assert.ok([...bursts, last].every(({ size, ended }) => size === 0 && ended > 0))
})

const outcomes: [Act, string][] = [
  ['result', 'succeeded'],
  ['fail', 'failed'],
  ['slow', 'succeeded'],
  ['progress', 'succeeded'],
  ['enqueue', 'succeeded'],
]
for (const [act, outcome] of outcomes) {
  for (const place of [0, 30, 70]) {
    test(`job ${place} of 71 does otherwise (${act}), the others as they would have`, async (context) => {
      const site = await Site.open(context)
      const burst = burstOf(amid(act, place, 70 - place))
      const more = burstOf(plain(30))
      const odd = burst.ids[place]
      site.run(burst, more)
      const back = await site.allBack(burst, more)
      assert.ok([...back].every(([id, how]) => how === (id === odd ? outcome : 'succeeded')))
      assert.deepEqual(site.ran, [...burst.ids, ...more.ids])
      const ended = site.told.find((each) => each.type === 'ended' && each.job.id === odd)
      if (act === 'result') {
        assert.ok(ended?.type === 'ended' && ended.outcome.type === 'succeeded' && ended.outcome.result === '5')
      }
      if (act === 'slow') assert.ok(site.told.some((each) => each.type === 'started' && each.job.id === odd))
      if (act === 'progress') assert.ok(site.told.some((each) => each.type === 'progress' && each.job.id === odd))
    })
  }
}

test('a job of a burst that waits is ended unrun, one that runs is aborted', async (context) => {
  const site = await Site.open(context)
  const burst = burstOf(amid('wait', 30, 40))
  const [running, first, middle, last] = [30, 31, 50, 70].map((place) => burst.ids[place] ?? 0)
  assert.ok(running && first && middle && last)
  site.run(burst)
  await site.fixture.until('started', ({ job }) => job.id === running)
  for (const id of [middle, last, first]) site.child.end(id, 'cancelled')
  site.child.end(burst.ids[3] ?? 0, 'cancelled')
  site.child.end(running, 'cancelled')
  const back = await site.allBack(burst)
  const asked = [running, first, middle, last]
  assert.ok([...back].every(([id, how]) => how === (asked.includes(id) ? 'cancelled' : 'succeeded')))
  assert.deepEqual(
    site.ran,
    burst.ids.filter((id) => id === running || !asked.includes(id)),
  )
})

test('a recall gives back what waits of bursts, and more may be given', async (context) => {
  const site = await Site.open(context)
  const burst = burstOf(amid('wait', 5, 40))
  const other = burstOf(plain(20))
  const running = burst.ids[5] ?? 0
  site.run(burst, other)
  await site.fixture.until('started', ({ job }) => job.id === running)
  site.child.recall()
  const { ids } = await site.fixture.until('returned')
  assert.deepEqual(ids, [...behind(burst, 5), ...other.ids])
  assert.equal(site.child.inFlight, 1)
  const more = burstOf(plain(20))
  site.run(more)
  site.child.end(running, 'cancelled')
  const back = await site.allBack(burst, other, more)
  assert.ok(more.ids.every((id) => back.get(id) === 'succeeded'))
  assert.deepEqual(site.ran, [...burst.ids.slice(0, 6), ...more.ids])
})

test('a child that leaves amid a burst gives the rest of it back', async (context) => {
  const site = await Site.open(context)
  const burst = burstOf(amid('wait', 5, 200))
  const running = burst.ids[5] ?? 0
  site.run(burst)
  await site.fixture.until('started', ({ job }) => job.id === running)
  site.fixture.pool.resize(0)
  site.child.end(running, 'cancelled')
  const { reason } = await site.fixture.until('exited')
  assert.equal(reason, 'shrunk')
  const back = await site.allBack(burst)
  assert.deepEqual(
    behind(burst, 5).map((id) => back.get(id)),
    Array(200).fill('not run'),
  )
  assert.deepEqual(site.ran, burst.ids.slice(0, 6))
})

test('a stop amid bursts ends what runs and gives the rest back', async (context) => {
  const site = await Site.open(context)
  const burst = burstOf(amid('wait', 50, 100))
  site.run(burst, burstOf(plain(10)))
  await site.fixture.until('started', ({ job }) => job.id === burst.ids[50])
  await site.fixture.pool.stop({ graceMs: 0 })
  const back = new Map(site.back)
  assert.equal(back.get(burst.ids[50] ?? 0), 'returned')
  assert.equal([...back.values()].filter((how) => how === 'not run').length, 110)
  assert.equal(site.back.length, 161)
})

test('a task that exits amid a burst is to blame, and nobody else', async (context) => {
  const site = await Site.open(context)
  const burst = burstOf(amid('exit'))
  const other = burstOf(plain(300))
  const culprit = burst.ids[30] ?? 0
  site.run(burst, other)
  const { code, jobs } = await site.fixture.until('exited')
  assert.equal(code, 3)
  const back = await site.allBack(burst, other)
  assert.deepEqual(site.ran, burst.ids.slice(0, 31))
  assert.ok(burst.ids.slice(0, 30).every((id) => back.get(id) === 'succeeded'))
  assert.equal(back.get(culprit), 'interrupted: yes')
  assert.ok([...behind(burst, 30), ...other.ids].every((id) => back.get(id) === 'interrupted: no'))
  assert.equal(jobs.length, 41 + 300)
  assert.equal(jobs[0]?.job.id, culprit)
})

for (const act of ['kill', 'wait'] as const) {
  test(`a child that is killed amid a burst (${act}) says of no job that ran that it did not`, async (context) => {
    const site = await Site.open(context)
    const burst = burstOf(amid(act, 30, 300))
    const other = burstOf(plain(100))
    const running = burst.ids[30] ?? 0
    site.run(burst, other)
    if (act === 'wait') {
      await site.fixture.until('started', ({ job }) => job.id === running)
      process.kill(site.child.pid, 'SIGKILL')
    }
    await site.fixture.until('exited')
    await untilGone(site.child.pid)
    const back = await site.allBack(burst, other)
    assert.deepEqual(site.ran, burst.ids.slice(0, 31))
    for (const id of site.ran) assert.notEqual(back.get(id), 'interrupted: no')
    for (const id of other.ids.slice(-50)) assert.equal(back.get(id), 'interrupted: no')
    if (act === 'wait') {
      assert.equal(back.get(running), 'interrupted: yes')
      assert.ok([...behind(burst, 30), ...other.ids].every((id) => back.get(id) === 'interrupted: no'))
    }
  })
}

test('a burst counts by its jobs towards those that a child may run', async (context) => {
  const site = await Site.open(context, { childLimits: { maxJobs: 100, maxBytes: null } })
  assert.equal(site.child.remaining, 80)
  const [burst, rest] = [burstOf(plain(50)), burstOf(plain(30))]
  site.run(burst)
  assert.equal(site.child.remaining, 30)
  site.run(rest)
  assert.equal(site.child.remaining, 0)
  await site.fixture.until('exited')
  await site.allBack(burst, rest)
  assert.equal(site.child.processed, 100)
  assert.deepEqual(site.ran, [...burst.ids, ...rest.ids])
})

test('whatever jobs do and is done to them, each comes back once', async (context) => {
  const random = new SeededRandom('bursts')
  const site = await Site.open(context)
  const given: Burst[] = []
  for (let round = 0; round < 40; round += 1) {
    const acts = Array.from(
      { length: 16 + random.below(100) },
      (): Act => random.pick([...plain(60), 'result', 'fail', 'progress', 'enqueue', 'slow'] as Act[]) ?? null,
    )
    const burst = burstOf(acts)
    given.push(burst)
    site.run(burst)
    const some = () => burst.ids[random.below(burst.ids.length)] ?? 0
    await new Promise((resolve) => setTimeout(resolve, random.below(4)))
    if (round % 3 === 1) site.child.recall()
    if (round % 4 === 2) site.child.end(some(), 'cancelled')
    if (round % 5 === 3) site.child.end(some(), 'shutdown')
    site.check()
  }
  const back = await site.allBack(...given)
  const [ran, unrun] = [new Set(site.ran), [...back].filter(([, how]) => how === 'not run')]
  assert.equal(ran.size, site.ran.length, 'no job ran twice')
  assert.deepEqual(
    site.ran,
    given.flatMap(({ ids }) => ids).filter((id) => ran.has(id)),
    'in their order',
  )
  for (const [id] of unrun) assert.ok(!ran.has(id), `job ${id} ran and was given back`)
  for (const [id, how] of back) if (['succeeded', 'failed'].includes(how)) assert.ok(ran.has(id))
})
