/** Hands the library what is inside the binary instead of on disk. */
import { provideChildProgram } from '../../src/pool/child-program.ts'
import { provideLibrary } from '../../src/user-file.ts'
import { useEmbeddedAddon } from './embedded-addon.ts'
import { isBinary } from './sea.ts'

/** Makes everything use what is inside the binary: SQLite, user files, the pool; does nothing outside of it. */
export function useEmbedded(): void {
  if (!isBinary()) return
  useEmbeddedAddon()
  provideLibrary(() => import('../../src/index.ts'))
  provideChildProgram({ execPath: process.execPath, args: ['__child'] })
}
