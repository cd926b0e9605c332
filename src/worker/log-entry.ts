/** How loud a log entry is, quietest first. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const
/** One of `logLevels`. */
export type LogLevel = (typeof logLevels)[number]

/** One thing a worker says; `cli/log.ts` turns it into text. */
export interface LogEntry {
  readonly level: LogLevel
  /** Epoch milliseconds. */
  readonly at: number
  /** An event type (`job.succeeded`, `child.exited`, …) or `worker.notice` for what no event tells. */
  readonly type: string
  readonly message?: string
  readonly job?: number
  readonly task?: string
  readonly queue?: string
  readonly attempt?: number
  readonly data?: Readonly<Record<string, unknown>>
}
