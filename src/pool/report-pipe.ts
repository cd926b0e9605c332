import fs from 'node:fs'
import type { ChildReport } from './protocol.ts'

/** The child's end of the pipe to its worker: what has been sent is in the pipe, whatever happens next. */
export class ReportPipe {
  readonly #fd: number
  readonly #gone: () => void

  /** `gone` is called when there is nobody to report to. */
  constructor(fd: number, gone: () => void) {
    this.#fd = fd
    this.#gone = gone
  }

  /** Writes at once, waiting for the worker to read where the pipe is full. */
  send(...reports: readonly ChildReport[]): void {
    const data = Buffer.from(reports.map((report) => `${JSON.stringify(report)}\n`).join(''))
    try {
      for (let done = 0; done < data.length; ) done += fs.writeSync(this.#fd, data, done)
    } catch {
      this.#gone()
    }
  }
}
