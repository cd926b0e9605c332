import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** A temporary folder and the processes that were started for it; nothing of either is left after `remove`. */
export class Place {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-bench-'))
  readonly #running = new Set<ChildProcess>()
  #files = 0

  /** The path of a file that is not there yet. */
  newFile(name: string): string {
    this.#files += 1
    return path.join(this.folder, `${this.#files}-${name}`)
  }

  /** Deletes a database with its log and the output of its jobs. */
  removeDatabase(file: string): void {
    for (const suffix of ['', '-wal', '-shm', '.logs']) fs.rmSync(file + suffix, { recursive: true, force: true })
  }

  /** The environment of programs that run here. */
  environment(broker: string): Record<string, string> {
    return { PATH: process.env.PATH ?? '', HOME: this.folder, JOBQ_BROKER: broker }
  }

  /** Remembers a process, to be killed by `remove` if it still runs then. */
  own<Child extends ChildProcess>(child: Child): Child {
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    return child
  }

  /** Kills at once what still runs; the way out for a bench that is interrupted. */
  killAll(): void {
    for (const child of this.#running) child.kill('SIGKILL')
  }

  async remove(): Promise<void> {
    const ends = [...this.#running].map((child) => new Promise((resolve) => child.once('exit', resolve)))
    this.killAll()
    await Promise.all(ends)
    fs.rmSync(this.folder, { recursive: true, force: true })
  }
}
