import type { Queue } from '../../src/client.ts'
import type { Clock } from '../../src/clock.ts'
import { isFinished } from '../../src/job.ts'
import { readOutput } from '../../src/output/output-reader.ts'
import { outputFolder } from '../broker-file.ts'
import { visibleLines } from '../visible.ts'
import { count } from './parts/figures.ts'
import type { Command } from './state.ts'

/** What lies outside of the dashboard. */
export interface Outside {
  /** Shows a text in the user's pager, in place of the dashboard. */
  page(text: string): Promise<void>
  /** Hands a text to the terminal's clipboard. */
  copy(text: string): void
  quit(): void
  interrupt(): void
}

/** Requeues are split, so that no transaction is long. */
const batchSize = 500

/** Carries out what keys ask for, and says what became of it. */
export class Doer {
  readonly #queue: Queue
  readonly #clock: Clock
  readonly #outside: Outside
  readonly #say: (text: string, good: boolean) => void

  constructor(of: {
    readonly queue: Queue
    readonly clock: Clock
    readonly outside: Outside
    readonly say: (text: string, good: boolean) => void
  }) {
    this.#queue = of.queue
    this.#clock = of.clock
    this.#outside = of.outside
    this.#say = of.say
  }

  /** Carries out one command; a failure is said, never thrown. */
  async do(command: Exclude<Command, { readonly do: 'travel' }>): Promise<void> {
    try {
      await this.#carryOut(command)
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error), false)
    }
  }

  async #carryOut(command: Exclude<Command, { readonly do: 'travel' }>): Promise<void> {
    const queue = this.#queue
    switch (command.do) {
      case 'quit':
        return this.#outside.quit()
      case 'interrupt':
        return this.#outside.interrupt()
      case 'copy':
        this.#outside.copy(command.text)
        return this.#say(`copied ${command.text}, if this terminal allows it`, true)
      case 'pager':
        return this.#page(command.id)
      case 'retry':
        return this.#retry(command.ids)
      case 'run-now':
        return this.#runNow(command.id)
      case 'cancel': {
        const answer = await queue.cancel(command.id)
        const said = { cancelled: 'is cancelled', cancelling: 'is being cancelled', finished: 'has finished already' }[
          answer
        ]
        return this.#say(`job ${command.id} ${said}`, answer !== 'finished')
      }
      case 'cancel-waiting': {
        const answers = await queue.broker.cancel({ queue: command.queue }, 'Purged', this.#clock.now())
        return this.#say(
          `${jobs(answers.length)} of ${command.queue} ${answers.length === 1 ? 'is' : 'are'} cancelled`,
          true,
        )
      }
      case 'pause':
        await queue.pause(command.queue)
        return this.#say(`queue ${command.queue} is paused; u lets it go on`, true)
      case 'resume':
        await queue.resume(command.queue)
        return this.#say(`queue ${command.queue} goes on`, true)
    }
  }

  async #retry(ids: readonly number[]): Promise<void> {
    const { broker } = this.#queue
    const [only] = ids
    if (ids.length === 1 && only !== undefined) {
      await this.#queue.retry(only)
      return this.#say(`job ${only} runs again`, true)
    }
    let again = 0
    for (let from = 0; from < ids.length; from += batchSize) {
      const now = this.#clock.now()
      const answers = await broker.requeue(ids.slice(from, from + batchSize), now.at, now)
      again += answers.filter((answer) => answer === 'requeued').length
    }
    this.#say(`${jobs(again)} ${again === 1 ? 'runs' : 'run'} again`, true)
  }

  async #runNow(id: number): Promise<void> {
    const job = await this.#queue.get(id)
    if (job === null) return this.#say(`there is no job ${id}`, false)
    if (isFinished(job.state)) return this.#say(`job ${id} has ended (${job.state}): r runs it again`, false)
    if (job.state === 'blocked') {
      await this.#queue.release(id)
      return this.#say(`job ${id} is let go`, true)
    }
    if (job.state === 'running') return this.#say(`job ${id} runs already`, false)
    const [due] = await this.#queue.broker.hasten([id], this.#clock.now())
    this.#say(
      due === true ? `job ${id} is due now` : `job ${id} is due already and starts as soon as a child is free`,
      due === true,
    )
  }

  async #page(id: number): Promise<void> {
    const chunks = readOutput(outputFolder(this.#queue.broker.url), id)
    if (chunks.length === 0) return this.#say(`job ${id} has written nothing`, false)
    await this.#outside.page(visibleLines(Buffer.concat(chunks.map(({ data }) => data)).toString('utf8')))
  }
}

const jobs = (number: number): string => `${count(number)} ${number === 1 ? 'job' : 'jobs'}`
