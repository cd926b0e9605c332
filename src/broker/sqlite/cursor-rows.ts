import type { Moment } from '../../clock.ts'
import type { CursorLease, Cursors } from '../broker.ts'
import type { Store } from './store.ts'

interface CursorRow {
  readonly cursor: number
  readonly session: number | null
  readonly lease_until: number
}

/** The cursors of a SQLite broker. */
export class SqliteCursors implements Cursors {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async take(name: string, lease: CursorLease & { readonly start: number }, now: Moment): Promise<number | null> {
    const { session, leaseMs, start } = lease
    // Those who wait for it ask again and again: they write nothing.
    if (await this.#store.look(() => this.#hasOther(name, session, now))) return null
    return this.#store.write(() => {
      if (this.#hasOther(name, session, now)) return null
      this.#store
        .sql(
          `INSERT INTO jobq_cursors(name, cursor, session, lease_until) VALUES (?, ?, ?, ?)
           ON CONFLICT(name) DO UPDATE SET session = excluded.session, lease_until = excluded.lease_until`,
        )
        .run(name, start, session, Math.round(now.tick + leaseMs))
      return this.#row(name)?.cursor ?? null
    })
  }

  async move(name: string, lease: CursorLease & { readonly to: number }, now: Moment): Promise<boolean> {
    const { session, leaseMs, to } = lease
    return this.#store.write(() => {
      const { changes } = this.#store
        .sql('UPDATE jobq_cursors SET cursor = max(cursor, ?), lease_until = ? WHERE name = ? AND session = ?')
        .run(to, Math.round(now.tick + leaseMs), name, session)
      return changes === 1
    })
  }

  async release(name: string, session: number): Promise<void> {
    await this.#store.write(() =>
      this.#store.sql('UPDATE jobq_cursors SET session = NULL WHERE name = ? AND session = ?').run(name, session),
    )
  }

  #row(name: string): CursorRow | undefined {
    return this.#store.sql<CursorRow>('SELECT cursor, session, lease_until FROM jobq_cursors WHERE name = ?').get(name)
  }

  #hasOther(name: string, session: number, now: Moment): boolean {
    const row = this.#row(name)
    if (row === undefined || row.session === null || row.session === session) return false
    return row.lease_until > now.tick
  }
}
