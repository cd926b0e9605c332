/**
 * One connection to a queue file with what all its readers and writers share: prepared statements, the
 * numbers that stand for names, and write transactions. A write never waits inside SQLite: it tries for the
 * lock, lets the event loop go on for part of a millisecond and tries again, which is fairer than SQLite's
 * own growing pauses. Each write first makes sure that the file at the path is still the one that is open,
 * because writes to an unlinked file succeed and are lost.
 */
import fs from 'node:fs'
import type { Statement } from 'better-sqlite3'
import { JobqError } from '../../errors.ts'
import { type EventType, eventTypes } from '../../event.ts'
import { isBusy, translated, waitForLock } from './database-file.ts'
import type { SqliteDatabase } from './native.ts'

/** The stored code of an event type. */
export const eventCode = (type: EventType): number => eventTypes.indexOf(type)

/** A value that SQLite can store. */
export type Value = string | number | Buffer | null

/** How long a write waits for other writers unless told otherwise, in milliseconds. */
export const defaultBusyTimeoutMs = 15_000

const identityOf = (file: string): string | null => {
  const entry = fs.statSync(file, { throwIfNoEntry: false })
  return entry === undefined ? null : `${entry.dev}:${entry.ino}`
}

/** A connection to a queue file. */
export class Store {
  readonly database: SqliteDatabase
  readonly file: string
  readonly #busyTimeoutMs: number
  readonly #statements = new Map<string, Statement<unknown[], unknown>>()
  readonly #queueIds = new Map<string, number>()
  readonly #taskIds = new Map<string, number>()
  readonly #names = new Map<string, string>()
  #fileIdentity: string | null
  #logIdentity: string | null = null
  #afterCommit: (() => void)[] = []

  constructor(database: SqliteDatabase, file: string, busyTimeoutMs = defaultBusyTimeoutMs) {
    this.database = database
    this.file = file
    this.#busyTimeoutMs = busyTimeoutMs
    this.#fileIdentity = identityOf(file)
  }

  /** The prepared statement for this SQL, made on first use, in which every `?` is a parameter. Rows come as objects. */
  sql<Row = unknown>(source: string): Statement<unknown[], Row> {
    let statement = this.#statements.get(source)
    if (statement === undefined) {
      // SQLite (built with STAT4) plans a statement anew whenever a value is bound to a parameter that a column or a limit is
      // compared with (https://sqlite.org/c3ref/prepare.html), which can take 20 times as long as running it; not so with a plus.
      statement = this.database.prepare<unknown[], unknown>(source.replaceAll('?', '+?'))
      this.#statements.set(source, statement)
    }
    return statement as Statement<unknown[], Row>
  }

  /** The first column of the first row, or undefined. */
  value(source: string, ...parameters: Value[]): unknown {
    const row = this.sql<Record<string, unknown>>(source).get(...parameters)
    return row === undefined ? undefined : Object.values(row)[0]
  }

  /** Runs `work` in a write transaction (or in the caller's running one), waiting for other writers without blocking the event loop. */
  async write<T>(work: () => T): Promise<T> {
    return this.#patiently(() => this.#transact(work))
  }

  /** As `write`, but blocks the thread while it waits. */
  writeSync<T>(work: () => T): T {
    try {
      return waitForLock(() => this.#transact(work), this.#busyTimeoutMs)
    } catch (error) {
      throw translated(this.file, error)
    }
  }

  /** Runs `work`, which only reads, on one consistent picture. */
  read<T>(work: () => T): T {
    try {
      if (this.database.inTransaction) return work()
      return waitForLock(() => this.#snapshot(work), this.#busyTimeoutMs)
    } catch (error) {
      throw translated(this.file, error)
    }
  }

  /** As `read`, without blocking the event loop while another connection has the file for itself. */
  async look<T>(work: () => T): Promise<T> {
    return this.#patiently(() => (this.database.inTransaction ? work() : this.#snapshot(work)))
  }

  /** Runs `action` when the present transaction has been committed. */
  afterCommit(action: () => void): void {
    this.#afterCommit.push(action)
  }

  /** The number that stands for a queue's name, made if need be. Only inside a write. */
  queueId(name: string): number {
    return this.#intern(this.#queueIds, 'jobq_queues', name)
  }

  /** The number that stands for a task's name, made if need be. Only inside a write. */
  taskId(name: string): number {
    return this.#intern(this.#taskIds, 'jobq_tasks', name)
  }

  /** The number of a queue that exists, else undefined. */
  knownQueueId(name: string): number | undefined {
    return this.value('SELECT id FROM jobq_queues WHERE name = ?', name) as number | undefined
  }

  /** The name of a queue, task or worker; null for null and for a worker whose row was pruned. */
  nameOf(table: 'jobq_queues' | 'jobq_tasks' | 'jobq_workers', id: number | null): string | null {
    if (id === null) return null
    const key = `${table}${id}`
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const name = this.value(`SELECT name FROM ${table} WHERE id = ?`, id) as string | undefined
    if (name !== undefined) this.#names.set(key, name)
    return name ?? null
  }

  /**
   * Makes sure that the file at the path is still the one that is open.
   * @throws JobqError `unusable`
   */
  checkPlace(): void {
    const moved = identityOf(this.file) !== this.#fileIdentity
    const cut = this.#logIdentity !== null && identityOf(`${this.file}-wal`) !== this.#logIdentity
    if (!moved && !cut) return
    if (!cut) this.#writeLogBack()
    throw new JobqError(
      'unusable',
      `${this.file}${moved ? '' : '-wal'} was moved, deleted or replaced while it was open; nothing more is written`,
    )
  }

  close(): void {
    this.#statements.clear()
    if (this.database.open) this.database.close()
  }

  async #patiently<T>(work: () => T): Promise<T> {
    const end = performance.now() + this.#busyTimeoutMs
    for (;;) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw translated(this.file, error)
        await new Promise((resolve) => setTimeout(resolve, Math.random()))
      }
    }
  }

  #intern(ids: Map<string, number>, table: string, name: string): number {
    let id = ids.get(name)
    if (id === undefined) {
      id = this.value(`SELECT id FROM ${table} WHERE name = ?`, name) as number | undefined
      id ??= Number(this.sql(`INSERT INTO ${table}(name) VALUES (?)`).run(name).lastInsertRowid)
      ids.set(name, id)
    }
    return id
  }

  #snapshot<T>(work: () => T): T {
    this.sql('BEGIN').run()
    try {
      return work()
    } finally {
      this.sql('COMMIT').run()
    }
  }

  #transact<T>(work: () => T): T {
    if (this.database.inTransaction) return this.#joined(work)
    this.checkPlace()
    this.sql('BEGIN IMMEDIATE').run()
    let result: T
    try {
      result = work()
      this.sql('COMMIT').run()
    } catch (error) {
      this.#forget()
      if (this.database.inTransaction) this.sql('ROLLBACK').run()
      throw error
    }
    this.#noteLog()
    const actions = this.#afterCommit
    this.#afterCommit = []
    for (const action of actions) action()
    return result
  }

  /** Inside the caller's own transaction: nothing to commit here, so wake-ups are left to the workers' poll. */
  #joined<T>(work: () => T): T {
    try {
      return work()
    } finally {
      this.#forget()
    }
  }

  /** What a transaction that may not last has taught must not be remembered. */
  #forget(): void {
    this.#afterCommit = []
    this.#queueIds.clear()
    this.#taskIds.clear()
    this.#names.clear()
  }

  /** SQLite leaves a moved file without what is only in its log; who has the file then, shall have all of it. */
  #writeLogBack(): void {
    try {
      this.database.pragma('wal_checkpoint(PASSIVE)')
    } catch {
      // The file is refused in any case; this could only have added to it.
    }
  }

  #noteLog(): void {
    this.#logIdentity ??= identityOf(`${this.file}-wal`)
  }
}
