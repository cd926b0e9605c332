/** The SQLite addon inside the binary. */
import { useNativeBinding } from '../../src/broker/sqlite/binding.ts'
import { buildInfo } from '../build-info.ts'
import { loadAddon } from './addon.ts'
import { embeddedFile } from './sea.ts'

/** The name of the addon among the files inside the binary. */
export const addonAsset = 'better_sqlite3.node'

/** Makes SQLite use the addon inside the binary, which is loaded when a database is first opened; outside of it, nothing. */
export function useEmbeddedAddon(): void {
  const file = buildInfo.addon
  if (file !== null) useNativeBinding(() => loadAddon({ file, bytes: embeddedFile(addonAsset) }))
}
