import os from 'node:os'
import path from 'node:path'
import type { Broker } from '../broker/broker.ts'
import type { ResolvedOptions } from './options.ts'

/** Where the output of this worker's jobs is kept. */
export const outputFolderOf = (broker: Broker, options: ResolvedOptions): string => {
  if (options.outputFolder !== null) return options.outputFolder
  if (broker.url.startsWith('sqlite:')) return `${broker.url.slice('sqlite:'.length)}.logs`
  return path.join(os.tmpdir(), `jobq-${process.pid}.logs`)
}
