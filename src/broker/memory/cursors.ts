import type { Moment } from '../../clock.ts'
import type { CursorLease, Cursors } from '../broker.ts'
import type { MemoryStore } from './memory-store.ts'

/** The cursors of a memory broker. */
export class MemoryCursors implements Cursors {
  readonly #store: MemoryStore

  constructor(store: MemoryStore) {
    this.#store = store
  }

  async take(name: string, lease: CursorLease & { readonly start: number }, now: Moment): Promise<number | null> {
    const { session, leaseMs, start } = lease
    const row = this.#store.cursors.get(name) ?? { cursor: start, session: 0, until: 0 }
    if (row.session !== 0 && row.session !== session && row.until > now.tick) return null
    this.#store.cursors.set(name, { cursor: row.cursor, session, until: now.tick + leaseMs })
    return row.cursor
  }

  async move(name: string, lease: CursorLease & { readonly to: number }, now: Moment): Promise<boolean> {
    const { session, leaseMs, to } = lease
    const row = this.#store.cursors.get(name)
    if (row?.session !== session) return false
    this.#store.cursors.set(name, { cursor: Math.max(row.cursor, to), session, until: now.tick + leaseMs })
    return true
  }

  async release(name: string, session: number): Promise<void> {
    const row = this.#store.cursors.get(name)
    if (row?.session === session) this.#store.cursors.set(name, { ...row, session: 0 })
  }
}
