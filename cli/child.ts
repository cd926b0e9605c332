/** What the binary becomes as a pool child. */
import { provideLibrary } from '../src/user-file.ts'
import { isBinary } from './binary/sea.ts'

/** Serves the worker that forked this process, until it says stop or goes away. */
export async function child(): Promise<void> {
  if (isBinary()) provideLibrary(() => import('../src/index.ts'))
  await import('../src/pool/child-main.ts')
}
