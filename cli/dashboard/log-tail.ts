import { StringDecoder } from 'node:string_decoder'
import { followOutput } from '../../src/output/output-reader.ts'
import { outputFolder } from '../broker-file.ts'

/** Lines that are kept. */
const linesAtMost = 500
const lookEveryMs = 250

/** Follows what one job writes. */
export class LogTail {
  readonly #url: string
  readonly #show: (id: number, lines: readonly string[]) => void
  #end: AbortController | null = null

  constructor(url: string, show: (id: number, lines: readonly string[]) => void) {
    this.#url = url
    this.#show = show
  }

  /** Follows this job and no other; null follows none. */
  follow(id: number | null): void {
    this.stop()
    // Output is kept in files, beside a broker that is one.
    if (id === null || !this.#url.startsWith('sqlite:')) return
    this.#end = new AbortController()
    void this.#read(id, this.#end.signal)
  }

  stop(): void {
    this.#end?.abort()
    this.#end = null
  }

  async #read(id: number, signal: AbortSignal): Promise<void> {
    const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
    let lines: string[] = []
    let open = ''
    let waiting = false
    try {
      for await (const { stream, data } of followOutput(outputFolder(this.#url), id, {
        signal,
        intervalMs: lookEveryMs,
      })) {
        if (signal.aborted) return
        const parts = `${open}${decoders[stream].write(data)}`.split('\n')
        open = (parts.pop() ?? '').slice(-4_000)
        lines = [...lines, ...parts].slice(-linesAtMost)
        // Much that comes at once is shown once.
        if (waiting) continue
        waiting = true
        setTimeout(() => {
          waiting = false
          if (!signal.aborted) this.#show(id, open === '' ? lines : [...lines, open])
        }, 50)
      }
    } catch (error) {
      if (!signal.aborted) this.#show(id, [`the log cannot be read: ${error instanceof Error ? error.message : error}`])
    }
  }
}
