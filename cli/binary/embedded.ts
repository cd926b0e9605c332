/** Hands the library what is inside the binary instead of on disk. */
import { useNativeBinding } from '../../src/broker/sqlite/binding.ts'
import { buildInfo } from '../build-info.ts'
import { loadAddon } from './addon.ts'
import { embeddedFile, isBinary } from './sea.ts'

/** The program and arguments with which a pool child is started. */
export interface ChildCommand {
  readonly execPath: string
  readonly args: readonly string[]
  readonly execArgv: readonly string[]
}

/** The hidden subcommand that makes the binary a pool child. */
export const childVerb = '__child'

/** Makes SQLite use the addon inside the binary; does nothing outside of it. */
export function useEmbeddedAddon(): void {
  const file = buildInfo.addon
  if (file !== null) useNativeBinding(() => loadAddon({ file, bytes: embeddedFile(addonAsset) }))
}

/** The name of the addon among the files inside the binary. */
export const addonAsset = 'better_sqlite3.node'

/** How to start a pool child from the binary; undefined outside of it, where the library knows its own file. */
export function embeddedChildCommand(): ChildCommand | undefined {
  return isBinary() ? { execPath: process.execPath, args: [childVerb], execArgv: [] } : undefined
}
