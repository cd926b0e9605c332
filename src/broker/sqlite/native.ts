/** Opens SQLite databases with the native addon that this process has; nothing else constructs one. */
import Database from 'better-sqlite3'

/** An open SQLite database. */
export type SqliteDatabase = Database.Database

/** How to open a database; `timeout` is how long a statement waits for a lock, in milliseconds. */
export interface OpenOptions {
  readonly readonly?: boolean
  readonly fileMustExist?: boolean
  readonly timeout?: number
}

let nativeBinding: (() => object) | undefined

/** Takes the addon's exports from `load`, on the first opening, instead of searching the disk for its file. */
export function useNativeBinding(load: () => object): void {
  let loaded: object | undefined
  nativeBinding = () => {
    loaded ??= load()
    return loaded
  }
}

/** Opens the database at `path`, which is created unless `fileMustExist` or `readonly` says otherwise. */
export function openDatabase(path: string, options: OpenOptions = {}): SqliteDatabase {
  if (nativeBinding === undefined) return new Database(path, options)
  // The typings know a binding by its file only; the addon's exports are taken as well.
  const binding: Database.Options = {}
  return new Database(path, Object.assign(binding, options, { nativeBinding: nativeBinding() }))
}
