import { act } from './actor.ts'
import type { Written } from './actors/batches.ts'
import type { Place } from './place.ts'

/** What a row says of its writes: synced before they are answered, or none to speak of. */
export const durability = { full: 'FULL', none: '-' } as const

/** better-sqlite3 itself, so many rows a transaction, WAL and `synchronous=FULL`. */
export const rawInserts = async (
  place: Place,
  writing: { readonly batch: number; readonly jobs?: number; readonly forMs?: number },
): Promise<Written> => {
  const file = place.newFile('raw.db')
  const written = await act<Written>(place, 'raw-inserts', { file, ...writing })
  place.removeDatabase(file)
  return written
}
