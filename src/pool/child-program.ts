/** How this process starts the children of a pool. */
import { fileURLToPath } from 'node:url'
import type { ChildProgram } from './pool.ts'

let provided: ChildProgram | undefined

/** Sets how children are started, where `child-main.ts` is not a file of its own. */
export const provideChildProgram = (program: ChildProgram): void => {
  provided = program
}

/** The program and first arguments of a pool child: this Node with `child-main.ts`, unless another one was provided. */
export const childProgram = (): ChildProgram => {
  if (provided !== undefined) return provided
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return { execPath: process.execPath, args: [fileURLToPath(new URL(`./child-main.${extension}`, import.meta.url))] }
}
