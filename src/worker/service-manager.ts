/** The way to whoever supervises this process. */
export interface ServiceManager {
  /** Within this many milliseconds it wants the next sign of life; null if it wants none. */
  readonly watchdogMs: number | null
  /** Sends assignments such as `READY=1`, in the order of the calls; resolves when they are delivered or given up, never rejects. */
  send(assignments: readonly string[]): Promise<void>
}
