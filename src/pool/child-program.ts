/** How this process starts the children of a pool. */
import { fileURLToPath } from 'node:url'
import type { ChildProgram } from './pool.ts'

/** No collection of the whole heap (Mebibytes until the first one) just when the first jobs come, for the garbage of loading. */
export const v8Options: readonly string[] = ['--initial-old-space-size=64']

/**
 * For the Node of a process that shares its machine with a worker and its other children: one thread, not four, beside the
 * one that runs JavaScript, because all of them compile the same hot code at the same time.
 */
export const nodeOptions: readonly string[] = ['--v8-pool-size=1', ...v8Options]

let provided: ChildProgram | undefined

/** Sets how children are started, where `child-main.ts` is not a file of its own. */
export const provideChildProgram = (program: ChildProgram): void => {
  provided = program
}

/** The program and first arguments of a pool child: this Node with `child-main.ts`, unless another one was provided. */
export const childProgram = (): ChildProgram => {
  if (provided !== undefined) return provided
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const file = fileURLToPath(new URL(`./child-main.${extension}`, import.meta.url))
  return { execPath: process.execPath, args: [...nodeOptions, file] }
}
