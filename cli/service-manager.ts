/**
 * The service manager that has started this process, as sd_notify(3) describes it: NOTIFY_SOCKET names a datagram
 * socket, WATCHDOG_USEC how long it waits for a sign of life. Node has no datagram sockets of this family, and the
 * packages that add them compile native code, so systemd's own `systemd-notify` does the sending.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServiceManager } from '../src/worker/service-manager.ts'

/** How long a message may take, in milliseconds; the program itself waits up to five seconds for it to be read. */
const sendMs = 6_000

/**
 * Finds the service manager in the environment, and takes its variables out of it so that no job speaks in the worker's
 * name; null where there is none.
 */
export const findServiceManager = (
  environment: NodeJS.ProcessEnv,
  complain: (message: string) => void,
): ServiceManager | null => {
  const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: watchdog = '', WATCHDOG_PID: watched } = environment
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name]
  if (socket === '') return null
  const isWatched = /^[1-9]\d*$/.test(watchdog) && (watched === undefined || watched === String(process.pid))
  return new SystemdNotify({
    env: { ...environment, NOTIFY_SOCKET: socket },
    watchdogMs: isWatched ? Number(watchdog) / 1_000 : null,
    complain,
  })
}

interface SystemdNotifyOptions {
  readonly env: NodeJS.ProcessEnv
  readonly watchdogMs: number | null
  readonly complain: (message: string) => void
}

class SystemdNotify implements ServiceManager {
  readonly watchdogMs: number | null
  readonly #env: NodeJS.ProcessEnv
  readonly #complain: (message: string) => void
  #last: Promise<void> = Promise.resolve()
  #complained = ''

  constructor({ env, watchdogMs, complain }: SystemdNotifyOptions) {
    this.#env = env
    this.watchdogMs = watchdogMs
    this.#complain = complain
  }

  send(assignments: readonly string[]): Promise<void> {
    this.#last = this.#last.then(() => this.#send(assignments))
    return this.#last
  }

  async #send(assignments: readonly string[]): Promise<void> {
    let said = ''
    try {
      const child = spawn('systemd-notify', assignments, {
        env: this.#env,
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: sendMs,
        // An interrupt at the terminal must not cut it short.
        detached: true,
      })
      // One that could not be started may have no streams at all.
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
      const [code, signal] = await once(child, 'close')
      if (code !== 0) this.#failed(said.trim() || `systemd-notify ended with ${signal ?? code}`)
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      this.#failed(missing ? 'there is no program systemd-notify' : String(error))
    }
  }

  #failed(reason: string): void {
    if (reason === this.#complained) return
    this.#complained = reason
    this.#complain(`the service manager cannot be told how this worker is: ${reason}`)
  }
}
