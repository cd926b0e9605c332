/** What a running worker does when it is told something; the words are in `control/command.ts`. */
import type { ControlCommand } from '../control/command.ts'
import { limitText } from '../control/limit-text.ts'
import type { ControlResult, WorkerDump } from '../control/result.ts'
import { JobqError } from '../errors.ts'
import { commandTask } from '../job.ts'
import { quote } from '../quote.ts'
import type { Autoscaler, PoolChange } from './autoscaler.ts'
import { ControlServer, type Obeyed } from './control-server.ts'
import { makeSocketPlace, type SocketPlace, sweepSockets } from './control-socket.ts'
import { type DumpParts, dumpWorker } from './dump.ts'
import { LoopDelay } from './loop-delay.ts'
import type { Presence } from './presence.ts'
import type { Reloader } from './reloader.ts'
import { workerStatus } from './status.ts'
import type { TaskTable } from './task-table.ts'

/** What `Control` needs. */
export interface ControlParts extends DumpParts {
  readonly tasks: TaskTable
  readonly presence: Presence
  /** Begins the worker's stop. */
  readonly stop: () => void
  /** Components that a worker need not have. */
  readonly others: () => { readonly autoscaler?: Autoscaler; readonly reloader?: Reloader }
  /** Notes what was done, in the worker's log. */
  readonly note: (message: string) => void
}

/** Carries out commands on one worker. */
export class Control {
  readonly #of: ControlParts
  readonly #loopDelay = new LoopDelay()
  #server: ControlServer | null = null
  #place: SocketPlace | null = null

  constructor(of: ControlParts) {
    this.#of = of
    this.#loopDelay.start()
  }

  /** The path of the socket; null while there is none. */
  get path(): string | null {
    return this.#server?.path ?? null
  }

  /** Begins to take commands through a socket, and lets clients know where. */
  async listen(): Promise<void> {
    const { broker, presence } = this.#of
    const file = broker.url.startsWith('sqlite:/') ? broker.url.slice('sqlite:'.length) : null
    if (file !== null) {
      await sweepSockets(file, async () => new Set((await broker.workers.list()).map(({ session }) => session)))
    }
    this.#place = makeSocketPlace(file, presence.session)
    const server = new ControlServer(this.#place.path, (command) => this.obey(command))
    await server.listen()
    this.#server = server
    await presence.showControl(server.path)
  }

  /** Takes no more commands, and takes the socket away. */
  close(): void {
    this.#loopDelay.stop()
    this.#server?.close()
    this.#place?.remove()
  }

  /** All that the worker knows of itself. */
  dump(): WorkerDump {
    return dumpWorker(this.#of, this.#loopDelay)
  }

  /**
   * Carries out one command.
   * @throws JobqError `conflict` where the worker's state or the want of a step does not allow it, `usage`
   */
  async obey(command: ControlCommand): Promise<Obeyed> {
    const { dispatcher, note } = this.#of
    const { verb } = command
    switch (verb) {
      case 'status':
        return { result: { verb, state: workerStatus(this.#of) } }
      case 'dump':
        return { result: { verb, ...this.dump() } }
      case 'grow':
      case 'shrink':
        return this.#resized(verb, this.#autoscaler()[verb](command.count))
      case 'autoscale': {
        const change = this.#autoscaler().setBounds(command.max, command.min)
        note(`told to follow the load with ${command.min} to ${command.max} children`)
        return this.#resized(verb, change)
      }
      case 'reload': {
        this.#refuseWhileStopping()
        const { loaded, message, problems } = await (this.#of.others().reloader ?? without('reloader')).reload(
          'control',
        )
        return { result: { verb, loaded, message, problems } }
      }
      case 'limits':
        return { result: this.#limit(command) }
      case 'drain':
        this.#refuseWhileStopping()
        note('told to drain: finishing what runs, taking nothing more')
        dispatcher.hold()
        return { result: { verb, running: this.#running() }, afterwards: this.#tellAll }
      case 'resume':
        this.#refuseWhileStopping()
        note('told to resume: taking jobs again')
        dispatcher.resume()
        return { result: { verb }, afterwards: this.#tellAll }
      case 'stop':
        note('told to stop: finishing what runs')
        return { result: { verb, running: this.#running() }, afterwards: this.#of.stop }
    }
  }

  #resized(verb: 'grow' | 'shrink' | 'autoscale', { from, to }: PoolChange): Obeyed {
    return { result: { verb, from, to }, afterwards: this.#tellAll }
  }

  #limit(command: Extract<ControlCommand, { verb: 'limits' }>): ControlResult {
    const { tasks, note } = this.#of
    const { verb: _, task, ...limits } = command
    if (task !== commandTask && !tasks.names.includes(task)) {
      throw new JobqError('not-found', `it has no task ${quote(task)}`)
    }
    tasks.setLimits(task, limits)
    note(`told to limit ${limitText(command)}`)
    return command
  }

  #autoscaler(): Autoscaler {
    this.#refuseWhileStopping()
    return this.#of.others().autoscaler ?? without('autoscaler')
  }

  #running(): number {
    return this.#of.pool.children.filter((child) => child.inFlight > 0).length
  }

  /** The entry in the list of workers is to be true at once. */
  readonly #tellAll = (): void => void this.#of.presence.beat()

  #refuseWhileStopping(): void {
    if (this.#of.stopping.aborted) throw new JobqError('conflict', 'the worker is stopping')
  }
}

const without = (step: string): never => {
  throw new JobqError('conflict', `the worker has no step '${step}'`)
}
