/** What a worker answers to what it was told, by verb; `dump` is the long one. */
import type { StepStatus } from '../boot/boot.ts'
import type { ChildStatus, WorkerStatus } from '../broker/broker.ts'

/** One step of a worker in a dump. */
export interface StepDump extends StepStatus {
  /** What it says of itself; null where it says nothing. */
  readonly info: unknown
}

/** All that a worker knows of itself at one moment. Instants are epoch milliseconds. */
export interface WorkerDump {
  readonly worker: string
  readonly pid: number
  readonly at: number
  /** Of its process. */
  readonly uptimeMs: number
  readonly status: WorkerStatus['status']
  /** Resident bytes of the worker's own process. */
  readonly rss: number
  readonly eventLoop: {
    /** By how much the last of the timers that come once a second was late, in milliseconds. */
    readonly delayMs: number
    /** By how much any of them was since the last dump. */
    readonly maxDelayMs: number
    /** The share of its time that it was busy since the last dump, 0 to 1. */
    readonly utilization: number
  }
  /** `away` while the broker cannot be used. */
  readonly broker: { readonly url: string; readonly state: 'ok' | 'away' }
  /** Jobs in the worker's hands (with those that its children have), and reports not yet written. */
  readonly jobs: { readonly inHand: number; readonly toReport: number; readonly processed: number }
  readonly pool: { readonly size: number; readonly children: readonly ChildStatus[] }
  readonly steps: readonly StepDump[]
}

/** The answer to a command that was carried out. */
export type ControlResult =
  /** The wanted number of children, before and after. */
  | { readonly verb: 'grow' | 'shrink' | 'autoscale'; readonly from: number; readonly to: number }
  /** `loaded` is false where the old code goes on working; `message` and `problems` say why. */
  | {
      readonly verb: 'reload'
      readonly loaded: boolean
      readonly message: string
      readonly problems: readonly { readonly file: string; readonly line: number | null; readonly message: string }[]
    }
  | {
      readonly verb: 'limits'
      readonly task: string
      readonly softTimeLimitMs?: number | null
      readonly timeLimitMs?: number | null
    }
  /** `running`: children that still work. */
  | { readonly verb: 'drain' | 'stop'; readonly running: number }
  | { readonly verb: 'resume' }
  | ({ readonly verb: 'dump' } & WorkerDump)
  | ({ readonly verb: 'status' } & { readonly state: WorkerStatus })
