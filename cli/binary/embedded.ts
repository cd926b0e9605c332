/** Hands the library what is inside the binary instead of on disk; does nothing outside of it. */
import { useNativeBinding } from '../../src/broker/sqlite/binding.ts'
import { provideChildProgram } from '../../src/pool/child-program.ts'
import { provideLibrary } from '../../src/user-file.ts'
import { buildInfo } from '../build-info.ts'
import { loadAddon } from './addon.ts'
import { embeddedFile, isBinary } from './sea.ts'

/** The name of the addon among the files inside the binary. */
export const addonAsset = 'better_sqlite3.node'

/** Makes SQLite use the addon inside the binary. */
export function useEmbeddedAddon(): void {
  const file = buildInfo.addon
  if (file !== null) useNativeBinding(() => loadAddon({ file, bytes: embeddedFile(addonAsset) }))
}

/** Makes everything use what is inside the binary: the addon, the library in user files, the program of pool children. */
export function useEmbedded(): void {
  if (!isBinary()) return
  useEmbeddedAddon()
  provideLibrary(() => import('../../src/index.ts'))
  provideChildProgram({ execPath: process.execPath, args: ['__child'] })
}
