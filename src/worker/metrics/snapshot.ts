import fs from 'node:fs'
import type { Broker, ChildStatus, Counts } from '../../broker/broker.ts'
import type { ClaimedJob } from '../../job.ts'
import type { Pool } from '../../pool/pool.ts'
import type { Dispatcher } from '../dispatcher.ts'
import type { Execution } from '../execution.ts'
import type { Meter } from './meter.ts'
import type { QueueCounts } from './queue-counts.ts'

/** Where a snapshot is read. */
export interface SnapshotParts {
  readonly name: string
  readonly broker: Broker
  readonly meter: Meter
  readonly queueCounts: QueueCounts
  /** Complete once the worker has started. */
  readonly components: () => {
    readonly pool?: Pool<ClaimedJob>
    readonly dispatcher?: Dispatcher
    readonly execution?: Execution
  }
}

/** All that one scrape tells, read at one moment. */
export interface Snapshot {
  readonly name: string
  readonly brokerUrl: string
  readonly meter: Meter
  /** Null while the broker cannot be read. */
  readonly counts: Counts | null
  /** Sizes in bytes; null for a broker that is no file here. */
  readonly file: { readonly bytes: number; readonly walBytes: number } | null
  /** Null until the worker has started. */
  readonly work: {
    readonly away: boolean
    readonly wanted: number
    readonly inHand: number
    readonly toReport: number
    readonly children: readonly ChildStatus[]
  } | null
}

/** Reads a snapshot; never throws. */
export const takeSnapshot = async (parts: SnapshotParts): Promise<Snapshot> => {
  const { name, broker, meter, queueCounts } = parts
  const { pool, dispatcher, execution } = parts.components()
  const started = pool !== undefined && dispatcher !== undefined && execution !== undefined
  return {
    name,
    brokerUrl: broker.url,
    meter,
    counts: await queueCounts.read().catch(() => null),
    file: fileOf(broker.url),
    work: started
      ? {
          away: dispatcher.away,
          wanted: pool.size,
          inHand: execution.size,
          toReport: execution.toReport,
          children: pool.status(),
        }
      : null,
  }
}

const fileOf = (url: string): Snapshot['file'] => {
  if (!url.startsWith('sqlite:')) return null
  const file = url.slice('sqlite:'.length)
  const bytes = sizeOf(file)
  return bytes === null ? null : { bytes, walBytes: sizeOf(`${file}-wal`) ?? 0 }
}

const sizeOf = (file: string): number | null => fs.statSync(file, { throwIfNoEntry: false })?.size ?? null
