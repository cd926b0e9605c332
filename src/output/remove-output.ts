import fs from 'node:fs'
import path from 'node:path'
import { parseOutputName, shardOf } from './output-path.ts'

/** Deletes the output of these jobs, all attempts; ids without output do no harm. */
export const removeOutput = (folder: string, ids: readonly number[]): void => {
  const wanted = new Set(ids)
  for (const shard of new Set(ids.map((id) => shardOf(folder, id)))) {
    for (const name of namesIn(shard)) {
      const key = parseOutputName(name)
      if (key && wanted.has(key.id)) fs.rmSync(path.join(shard, name), { force: true })
    }
    removeIfEmpty(shard)
  }
}

const namesIn = (shard: string): string[] => {
  try {
    return fs.readdirSync(shard)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const removeIfEmpty = (shard: string): void => {
  try {
    fs.rmdirSync(shard)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
