import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { openDatabase, type SqliteDatabase } from '../../../src/broker/sqlite/native.ts'

/** Which plainjob, on which file. */
export interface PlainjobTask {
  /** The folder that it was installed in. */
  readonly installed: string
  readonly file: string
  readonly synchronous: 'NORMAL' | 'FULL'
}

/** What the bench uses of plainjob. */
interface Plainjob {
  better(database: SqliteDatabase): unknown
  defineQueue(options: { readonly connection: unknown; readonly logger: unknown }): PlainjobQueue
  defineWorker(type: string, run: () => Promise<void>, options: object): PlainjobWorker
}

/** A queue of plainjob. */
export interface PlainjobQueue {
  add(type: string, data: unknown): unknown
  addMany(type: string, data: readonly unknown[]): unknown
  countJobs(filter: { readonly status: number }): number
  close(): void
}

/** A worker of plainjob. */
export interface PlainjobWorker {
  start(): Promise<void>
  stop(): Promise<void>
}

const silent = { error() {}, warn() {}, info() {}, debug() {} }

/** Opens a file with plainjob. */
export const openPlainjob = async ({ installed, file, synchronous }: PlainjobTask) => {
  const entry = pathToFileURL(path.join(installed, 'node_modules/plainjob/dist/plainjob.js'))
  const plainjob = (await import(entry.href)) as Plainjob
  const database = openDatabase(file)
  const queue = plainjob.defineQueue({ connection: plainjob.better(database), logger: silent })
  database.pragma(`synchronous = ${synchronous}`)
  const worker = (type: string, onCompleted: () => void): PlainjobWorker =>
    plainjob.defineWorker(type, async () => {}, { queue, logger: silent, onCompleted })
  return { queue, worker }
}
