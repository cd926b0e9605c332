/**
 * Tables with a row for each stretch of consecutive jobs of which the same is to be said: from its key `job` to `last`. Jobs
 * that were enqueued together are claimed and ended together, so that a few rows stand for thousands; a job of which
 * something else is to be said is cut out. Stretches of one table never overlap. Only inside a write.
 */
import type { Store } from './store.ts'

/** A table of stretches, and what its rows say beside them. */
export interface StretchTable {
  readonly name: 'jobq_leases' | 'jobq_ends'
  readonly columns: string
}

/** Consecutive jobs. */
export type Stretch = readonly [first: number, last: number]

/** The key of the row of a table that covers a job, if its `last` is not before it; `id` is an expression in SQL. */
export const keyFor = (table: StretchTable['name'], id: string): string =>
  `(SELECT max(job) FROM ${table} WHERE job <= ${id})`

/** True in SQL of a job that a row of a table covers; `id` is an expression with the name of its table. */
export const isIn = (table: StretchTable['name'], id: string): string =>
  `EXISTS (SELECT 1 FROM ${table} WHERE job = ${keyFor(table, id)} AND last >= ${id})`

/** Cuts jobs into stretches, in their order. */
export const stretchesOf = (ids: readonly number[]): Stretch[] => {
  const stretches: [number, number][] = []
  let open: [number, number] | null = null
  for (const id of ids) {
    if (open !== null && open[1] + 1 === id) open[1] = id
    else {
      open = [id, id]
      stretches.push(open)
    }
  }
  return stretches
}

/** Takes the jobs from `first` to `last` out of the row with this key, which covers them; the rest of it stays. */
export const cutOut = (store: Store, { name, columns }: StretchTable, cut: Cut): void => {
  const { key, first, last } = cut
  store
    .sql(
      `INSERT INTO ${name}(job, last, ${columns}) SELECT ?, last, ${columns} FROM ${name} WHERE job = ? AND last > ?`,
    )
    .run(last + 1, key, last)
  if (first > key) store.sql(`UPDATE ${name} SET last = ? WHERE job = ?`).run(first - 1, key)
  else store.sql(`DELETE FROM ${name} WHERE job = ?`).run(key)
}

interface Cut {
  readonly key: number
  readonly first: number
  readonly last: number
}
