/**
 * How a writer wakes the workers of a file at once: each worker has a named pipe beside the file, and a writer
 * puts one byte into each. A pipe needs no module of Node beyond `fs`, so a short-lived `jobq enqueue` can ring
 * it at no cost, and no ear on the other end is an error that says so. Where there are no named pipes, the
 * workers' slow poll finds the work.
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import { bellPath } from './ring.ts'

/** A worker's end of the pipe. */
export class Doorbell {
  readonly #path: string
  #socket: net.Socket | null = null

  /** Hangs up the bell of this session and calls `onRing` each time it is rung. */
  constructor(file: string, session: number, onRing: () => void) {
    this.#path = bellPath(file, session)
    try {
      fs.rmSync(this.#path, { force: true })
      execFileSync('mkfifo', ['-m', '600', this.#path], { stdio: 'ignore' })
      // Opened for writing too, so that the pipe never reports its end when a writer leaves.
      const descriptor = fs.openSync(this.#path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK)
      this.#socket = new net.Socket({ fd: descriptor, readable: true, writable: false })
      this.#socket.on('data', onRing)
      this.#socket.on('error', () => this.close())
    } catch {
      // No named pipes on this platform or file system: the poll does it.
      this.close()
    }
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = null
    fs.rmSync(this.#path, { force: true })
  }
}

/** Takes down the bell that a worker which is gone has left. */
export const removeBell = (file: string, session: number): void => fs.rmSync(bellPath(file, session), { force: true })
