/** What signals mean to a running worker. */
import type { Worker } from '../src/worker/worker.ts'

/** Signals that are being listened to. */
export interface Signals {
  /** True once one of them has asked for the end. */
  stopping(): boolean
  /** The exit code that a cold stop asks for; null for any other end. */
  code(): number | null
  /** Leaves the signals to the system again. */
  stop(): void
}

/** Lets signals steer the worker, and notes what they do. */
export const listen = (worker: Worker, note: (text: string) => void): Signals => {
  let code: number | null = null
  let stopping = false
  const warm = (signal: string): void => {
    if (stopping) return
    stopping = true
    note(`${signal}: finishing what runs${signal === 'INT' ? '; once more gives it back to the queue' : ''}`)
    void worker.stop()
  }
  const cold = (signal: string, exitCode: number): void => {
    stopping = true
    code ??= exitCode
    note(`${signal}: giving what runs back to the queue`)
    void worker.stop({ cold: true })
  }
  const handlers = {
    SIGTERM: () => warm('TERM'),
    SIGINT: () => (stopping ? cold('INT again', 130) : warm('INT')),
    SIGQUIT: () => cold('QUIT', 131),
    SIGHUP: () => {
      // What comes of it is in the log.
      worker.reload('HUP').catch((error: unknown) => note(`HUP: ${error instanceof Error ? error.message : error}`))
    },
    SIGTSTP: suspend,
    SIGUSR1: () => note(`state: ${JSON.stringify(worker.dump() ?? worker.info())}`),
  }
  /** What the system does by itself, but never amid a transaction: everyone else would find the file locked for as long. */
  function suspend(): void {
    process.off('SIGTSTP', suspend)
    process.kill(process.pid, 'SIGTSTP')
    process.on('SIGTSTP', suspend)
  }
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler)
  return {
    stopping: () => stopping,
    code: () => code,
    stop: () => {
      for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler)
    },
  }
}
