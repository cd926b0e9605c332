/**
 * Processes are killed at random moments, hundreds of times, while producers add jobs of all kinds; when it stops,
 * everything must have been done and the books must agree. `JOBQ_FAULT_CYCLES` makes the run longer, `JOBQ_FAULT_SEED`
 * makes it choose as an earlier one did.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Running } from '../support/cli.ts'
import { readEvidence } from '../support/evidence.ts'
import { assertInvariants } from '../support/invariants.ts'
import { isAlive, signal, treeOf } from '../support/processes.ts'
import { SeededRandom } from '../support/random.ts'
import { until } from '../support/until.ts'
import { FaultSite } from './fault-site.ts'

const cycles = Number(process.env.JOBQ_FAULT_CYCLES ?? 210)

/** How often each kind of process is the one to die, out of 100. */
const victims = { child: 48, enqueue: 32, workerAlone: 7, workerTree: 7, producer: 6 }

/** Longest time to let things go on before the next kill, in milliseconds. */
const longestPauseMs = 40

/** How long the queue may take to drain once the faults stop, in milliseconds. */
const drainMs = 120_000

/** The run: two workers, two producers, and whoever kills them. */
class Killing {
  readonly site: FaultSite
  readonly random: SeededRandom
  readonly killed: Record<keyof typeof victims, number> = {
    child: 0,
    enqueue: 0,
    workerAlone: 0,
    workerTree: 0,
    producer: 0,
  }
  readonly #workers: Running[] = []
  readonly #producers: Running[] = []
  readonly #enqueues: Promise<unknown>[] = []
  #started = 0

  constructor(site: FaultSite, random: SeededRandom) {
    this.site = site
    this.random = random
  }

  async start(): Promise<void> {
    this.#workers.push(await this.site.startWorker(), await this.site.startWorker())
    this.#newProducer()
    this.#newProducer()
  }

  /** Kills one process of a random kind. */
  async cycle(): Promise<void> {
    await sleep(this.random.below(longestPauseMs))
    const kind = this.random.weighted(victims)
    await this[kind]()
    this.killed[kind] += 1
  }

  /** Lets producers finish and the queue drain, then stops the workers in order. */
  async finish(): Promise<void> {
    for (const producer of this.#producers) producer.child.stdin?.end()
    for (const { code, stderr } of await Promise.all(this.#producers.map(({ ended }) => ended)))
      assert.deepEqual([code, stderr], [0, ''])
    await Promise.all(this.#enqueues)
    await this.site.drained(drainMs)
    await Promise.all(this.#workers.map((worker) => this.site.stopWorker(worker)))
  }

  async child(): Promise<void> {
    const pid = await until('a child that has taken up its work', () => this.random.pick(this.#readyChildren()))
    signal(pid, 'SIGKILL')
  }

  /** A command line that is killed at some moment between its start and its end. */
  async enqueue(): Promise<void> {
    const key = `cli.${++this.#started}`
    const seconds = this.random.below(5) / 100
    const parameters = this.random.next() < 0.5 ? this.site.command(key, seconds) : this.site.order(key, seconds * 1000)
    const { batch, running } = this.site.beginEnqueue(key, parameters)
    await sleep(this.random.below(60))
    running.child.kill('SIGKILL')
    this.#enqueues.push(this.site.endEnqueue(batch, running))
  }

  /** The children are left to notice by themselves. */
  async workerAlone(): Promise<void> {
    await this.#replaceWorker((pid) => [pid])
  }

  async workerTree(): Promise<void> {
    await this.#replaceWorker(treeOf)
  }

  async producer(): Promise<void> {
    const index = this.random.below(this.#producers.length)
    const [producer] = this.#producers.splice(index, 1)
    this.#newProducer()
    producer?.child.kill('SIGKILL')
    await producer?.ended
  }

  #readyChildren(): number[] {
    const started = this.site.rows<{ pid: number }>(
      `SELECT DISTINCT data ->> '$.pid' AS pid FROM event_view WHERE type = 'child.started' ORDER BY id DESC LIMIT 20`,
    )
    return started.map(({ pid }) => pid).filter((pid) => isAlive(pid))
  }

  async #replaceWorker(whom: (pid: number) => number[]): Promise<void> {
    const index = this.random.below(this.#workers.length)
    const worker = this.#workers[index]
    const pid = worker?.child.pid
    assert.ok(worker && pid)
    assert.equal(worker.child.exitCode, null, `a worker ended by itself:\n${worker.stderr}`)
    for (const each of whom(pid)) signal(each, 'SIGKILL')
    await worker.ended
    this.#workers[index] = await this.site.startWorker()
  }

  #newProducer(): void {
    this.#producers.push(this.site.startProducer(`p${++this.#started}`, this.random.seed))
  }
}

test(`${cycles} kills of workers, children and producers lose nothing and do nothing twice without cause`, async (t) => {
  const random = new SeededRandom(process.env.JOBQ_FAULT_SEED)
  t.diagnostic(`seed ${random.seed}`)
  const run = async (site: FaultSite): Promise<void> => {
    const killing = new Killing(site, random)
    await killing.start()
    for (let cycle = 0; cycle < cycles; cycle++) await killing.cycle()
    await killing.finish()
    const { jobs, batches, events } = readEvidence(site.files)
    const types: Record<string, number> = {}
    for (const { type } of events) types[type] = (types[type] ?? 0) + 1
    t.diagnostic(
      `${JSON.stringify(killing.killed)}: ${jobs.size} jobs of ${batches.size} batches, ${JSON.stringify(types)}`,
    )
    assertInvariants(site.files)
    for (const type of ['job.recovered', 'job.retried', 'job.failed', 'job.cancelled', 'job.requeued', 'job.released'])
      assert.ok(types[type], `${type} happened`)
  }
  try {
    await FaultSite.use(run)
  } catch (error) {
    t.diagnostic(`failed with JOBQ_FAULT_SEED=${random.seed} JOBQ_FAULT_CYCLES=${cycles}`)
    throw error
  }
})
