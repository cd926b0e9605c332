import fs from 'node:fs/promises'
import path from 'node:path'

/** What a `Textfile` is made with. */
export interface TextfileOptions {
  /** Where it goes; replaced as a whole each time. */
  readonly file: string
  readonly everyMs: number
  readonly text: () => Promise<string>
  /** Told why it could not be written, once until it can again. */
  readonly onTrouble: (error: unknown) => void
}

/** Figures in a file, for the textfile collector of node_exporter. */
export class Textfile {
  readonly #options: TextfileOptions
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #busy = false
  #troubled = false

  constructor(options: TextfileOptions) {
    this.#options = options
  }

  /** Writes the file, and goes on to do so. */
  start(): void {
    this.#timer = setInterval(() => this.#write(), this.#options.everyMs)
    this.#write()
  }

  /** Deletes the file: figures of a worker that has ended would look as if nothing moved. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
    await fs.rm(this.#options.file, { force: true })
  }

  #write(): void {
    if (this.#busy) return
    this.#busy = true
    this.#writing = this.#replace().finally(() => {
      this.#busy = false
    })
  }

  async #replace(): Promise<void> {
    const { file, text, onTrouble } = this.#options
    // node_exporter reads no name that does not end in .prom.
    const fresh = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`)
    try {
      // It runs as another user, whom the umask of a worker would keep out.
      await fs.writeFile(fresh, await text(), { mode: 0o644 })
      await fs.chmod(fresh, 0o644)
      await fs.rename(fresh, file)
      this.#troubled = false
    } catch (error) {
      if (!this.#troubled) onTrouble(error)
      this.#troubled = true
      await fs.rm(fresh, { force: true }).catch(() => undefined)
    }
  }
}
