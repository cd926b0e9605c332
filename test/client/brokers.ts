import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { type ConnectOptions, connect, type Queue } from '../../src/index.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-client-'))
let files = 0
after(() => fs.rmSync(folder, { recursive: true }))

/** A path for a new file in this test's own folder. */
export const newFile = (): string => {
  files += 1
  return path.join(folder, `${files}.db`)
}

/** Runs the same tests on a memory broker and on a SQLite file. */
export const onEachBroker = (
  define: (
    name: string,
    withQueue: (work: (queue: Queue) => Promise<void>, options?: ConnectOptions) => Promise<void>,
  ) => void,
): void => {
  const targets = { memory: () => 'memory:', SQLite: () => `sqlite:${newFile()}` }
  for (const [name, target] of Object.entries(targets)) {
    define(name, async (work, options) => {
      const queue = await connect(target(), options)
      try {
        await work(queue)
      } finally {
        await queue.close()
      }
    })
  }
}
