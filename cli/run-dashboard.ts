/** The dashboard of `jobq run --ui`: the worker's log is shown in it while it is open, and never written over it. */

import { systemClock } from '../src/clock.ts'
import { JobqError } from '../src/errors.ts'
import { eventTypes } from '../src/event.ts'
import { type LogEntry, type LogLevel, logLevels } from '../src/worker/log-entry.ts'
import type { Mounted } from './dashboard/mount.ts'
import type { Log } from './log.ts'
import type { Session } from './session.ts'

/** A log that goes to the dashboard while that is open. */
export class RunDashboard implements Log {
  readonly #log: Log
  readonly #threshold: LogLevel
  #mounted: Mounted | null = null
  #close: (() => Promise<void>) | null = null

  /** Takes the entries that would go to `log`, of this level and above. */
  constructor(log: Log, threshold: LogLevel) {
    if (process.stdout.isTTY !== true || process.stdin.isTTY !== true) {
      throw new JobqError('usage', "--ui: stdin and stdout have to be a terminal; 'jobq top' watches from another one")
    }
    this.#log = log
    this.#threshold = threshold
  }

  readonly write = (entry: LogEntry): void => {
    const mounted = this.#mounted
    // Where stderr goes elsewhere, nothing is drawn over.
    if (mounted === null || process.stderr.isTTY !== true) this.#log.write(entry)
    if (mounted === null || logLevels.indexOf(entry.level) < logLevels.indexOf(this.#threshold)) return
    const { level, type, message, job } = entry
    // What is in the event log is shown from there.
    if (message === undefined && (eventTypes as readonly string[]).includes(type)) return
    mounted.dashboard.tell({
      type: 'note',
      level,
      text: `${job === undefined ? '' : `job ${job}: `}${message ?? type}`,
    })
  }

  readonly flush = (): void => this.#log.flush()

  /** Opens the dashboard on the session's broker. It is closed by a key, while the worker goes on, or by `close`. */
  async open({ broker, sources, shown }: Session, color: 'auto' | 'always' | 'never'): Promise<void> {
    const { connect } = await import('../src/client.ts')
    const { mount } = await import('./dashboard/mount.ts')
    const { terminalAbility } = await import('./dashboard/terminal-ability.ts')
    const queue = await connect(broker.value)
    this.#log.flush()
    const mounted = await mount({
      queue,
      clock: systemClock,
      url: queue.broker.url,
      inWorker: true,
      shown,
      ability: terminalAbility(sources.environment, color),
      pager: sources.environment.PAGER || 'less',
      at: null,
      // In raw mode the terminal does not make a signal of the key.
      onInterrupt: () => void process.kill(process.pid, 'SIGINT'),
    })
    this.#mounted = mounted
    let byKey = false
    const ended = mounted.closed.finally(async () => {
      byKey = this.#mounted === mounted
      this.#mounted = null
      await queue.close()
    })
    this.#close = () => ended
    ended.then(
      () => {
        if (byKey) this.#log.write(notice('info', 'the dashboard is closed, the worker goes on; Ctrl-C stops it'))
      },
      (error: unknown) => this.#log.write(notice('error', `the dashboard has failed, the worker goes on: ${error}`)),
    )
  }

  /** Gives the terminal back, if it is not back yet. */
  async close(): Promise<void> {
    const mounted = this.#mounted
    if (mounted === null) return
    this.#mounted = null
    mounted.close()
    await this.#close?.()
  }
}

const notice = (level: LogLevel, message: string): LogEntry => ({
  level,
  at: Date.now(),
  type: 'worker.notice',
  message,
})
