/**
 * Tables with a row for each stretch of consecutive jobs of which the same is to be said: from its key `job` to `last`. Jobs
 * that were enqueued together are claimed and ended together, so that a few rows stand for thousands; a job of which
 * something else is to be said is cut out. Stretches of one table never overlap. Only inside a write.
 */
import type { Store } from './store.ts'

type TableName = 'jobq_leases' | 'jobq_ends'

/** A table of stretches, what its rows say beside them, and how rows are cut. */
export interface StretchTable {
  readonly columns: string
  readonly sql: { readonly keepEnd: string; readonly keepBeginning: string; readonly drop: string }
}

/** The table of this name, with these other columns. */
export const stretchTable = (name: TableName, columns: string): StretchTable => ({
  columns,
  sql: {
    keepEnd: `INSERT INTO ${name}(job, last, ${columns}) SELECT ?, last, ${columns} FROM ${name} WHERE job = ? AND last > ?`,
    keepBeginning: `UPDATE ${name} SET last = ? WHERE job = ?`,
    drop: `DELETE FROM ${name} WHERE job = ?`,
  },
})

/** Consecutive jobs. */
export type Stretch = readonly [first: number, last: number]

/** The key of the row of a table that covers a job, if its `last` is not before it; `id` is an expression in SQL. */
export const keyFor = (table: TableName, id: string): string => `(SELECT max(job) FROM ${table} WHERE job <= ${id})`

/** True in SQL of a job that a row of a table covers; `id` is an expression with the name of its table. */
export const isIn = (table: TableName, id: string): string =>
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
export const cutOut = (store: Store, table: StretchTable, { key, first, last }: Cut): void => {
  store.sql(table.sql.keepEnd).run(last + 1, key, last)
  if (first > key) store.sql(table.sql.keepBeginning).run(first - 1, key)
  else store.sql(table.sql.drop).run(key)
}

interface Cut {
  readonly key: number
  readonly first: number
  readonly last: number
}
