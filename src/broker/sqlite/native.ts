/** Opens SQLite databases with the native addon that this process has; nothing else constructs one. */
import Database from 'better-sqlite3'
import { nativeBinding } from './binding.ts'

/** An open SQLite database. */
export type SqliteDatabase = Database.Database

/** How to open a database; `timeout` is how long a statement waits for a lock, in milliseconds. */
export interface OpenOptions {
  readonly readonly?: boolean
  readonly fileMustExist?: boolean
  readonly timeout?: number
}

/** Opens the database at `path`, which is created unless `fileMustExist` or `readonly` says otherwise. */
export function openDatabase(path: string, options: OpenOptions = {}): SqliteDatabase {
  const binding = nativeBinding()
  if (binding === undefined) return new Database(path, options)
  // The typings know a binding by its file only; the addon's exports are taken as well.
  const copy: Database.Options = { ...options }
  return new Database(path, Object.assign(copy, { nativeBinding: binding }))
}
