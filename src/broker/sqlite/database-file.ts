/**
 * Opening a SQLite file as a broker: what it must look like, and what makes it ours. A file that is foreign,
 * newer, corrupt or a symbolic link is refused before SQLite touches it. The tables may also live in an
 * application's own database; there `jobq_meta` tells the schema, and the application's id and version are left alone.
 */
import fs from 'node:fs'
import path from 'node:path'
import { JobqError } from '../../errors.ts'
import { type FileHeader, readHeader } from './file-header.ts'
import { migrations } from './migrations.ts'
import { openDatabase, type SqliteDatabase } from './native.ts'
import { openReadonly } from './readonly-file.ts'

/** "jobq" in ASCII, the `application_id` of a queue file. */
export const applicationId = 0x6a6f6271

/** The schema that this version of jobq writes. */
export const schemaVersion = migrations.at(-1)?.version ?? 0

/** How to open a queue file. */
export interface FileOptions {
  readonly readonly?: boolean
  /** Make the file and its folder if missing; default true, except when `readonly`. */
  readonly create?: boolean
  /** Bring an older schema up to date; default true, except when `readonly`. */
  readonly migrate?: boolean
  /** Take an older schema, or an empty file, as it is. */
  readonly anySchema?: boolean
}

const refuse = (file: string, what: string, options?: ErrorOptions): never => {
  throw new JobqError('unusable', `${file}: ${what}`, options)
}

/**
 * Opens (or creates) the queue file at `file`, its schema up to date, every commit synced to disk.
 * @throws JobqError `unusable`, `not-found` (missing and not to be created), `permission`
 */
export const openFile = (file: string, options: FileOptions = {}): SqliteDatabase => {
  const readonly = options.readonly ?? false
  checkFile(file, { readonly, create: options.create ?? !readonly })
  const database = translate(file, () => (readonly ? openReadonly(file) : openDatabase(file, { readonly, timeout: 0 })))
  try {
    const schema = {
      own: true,
      migrate: options.migrate ?? !readonly,
      anySchema: options.anySchema ?? false,
      name: file,
    }
    // Others may be creating it, reading its log after a crash, or writing the log back as the last to leave.
    translate(file, () => {
      waitForLock(() => prepareConnection(database, readonly))
      waitForLock(() => prepareSchema(database, schema))
    })
  } catch (error) {
    database.close()
    throw error
  }
  return database
}

/** Sets the application's own open database up for jobq: durable commits and jobq's tables beside its own. */
export const adoptDatabase = (database: SqliteDatabase): void => {
  if (!database.inTransaction) database.pragma('synchronous = FULL')
  waitForLock(() => prepareSchema(database, { own: false, migrate: true, anySchema: false, name: database.name }))
}

/** Runs `work` and turns SQLite's own errors into ones that name the file and say what can be done. */
export const translate = <T>(file: string, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    throw translated(file, error)
  }
}

/** The `JobqError` that says what an error of SQLite means for this file; other errors as they are. */
export const translated = (file: string, error: unknown): unknown => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (!code.startsWith('SQLITE_')) return error
  const options = { cause: error }
  const reason = error instanceof Error ? error.message : code
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code))
    return new JobqError('unavailable', `${file} is busy: ${reason}`, options)
  if (/^SQLITE_FULL/.test(code)) return new JobqError('unavailable', `${file}: no space left on the device`, options)
  if (/^SQLITE_IOERR/.test(code)) return new JobqError('unavailable', `${file}: input/output error (${code})`, options)
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code))
    return new JobqError('unusable', `${file} is not a sound database: ${reason}`, options)
  if (/^SQLITE_READONLY/.test(code)) return new JobqError('unusable', `${file} is read-only`, options)
  if (/^SQLITE_(CANTOPEN|PERM|AUTH)/.test(code))
    return new JobqError('permission', `${file} cannot be opened: ${reason}`, options)
  if (/^no such (table|column|index|view)|^table \S+ has no column/.test(reason))
    return new JobqError('unusable', `${file} lacks a part of jobq's schema: ${reason}`, options)
  return error
}

const checkFile = (file: string, options: { readonly: boolean; create: boolean }): void => {
  for (const name of [file, `${file}-wal`, `${file}-shm`]) {
    const entry = lookUp(name)
    if (entry?.isSymbolicLink()) refuse(name, 'is a symbolic link; give the real path')
    if (entry && !entry.isFile()) refuse(name, 'is not a regular file')
    if (name !== file) continue
    if (entry === undefined) {
      if (!options.create) throw new JobqError('not-found', `${file}: no such queue file`)
      createFile(file)
    } else if (entry.size > 0 && !hasOurHeader(file)) checkContent(file)
  }
}

const lookUp = (file: string): fs.Stats | undefined => {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new JobqError('permission', `${file} cannot be reached: ${reason}`, { cause: error })
  }
}

/** Looks whose file it is before anything is set up in it. */
const checkContent = (file: string): void =>
  translate(file, () => {
    const database = openReadonly(file)
    try {
      if (waitForLock(() => schemaIn(database)).foreign) refuse(file, 'belongs to another application')
    } finally {
      database.close()
    }
  })

/** Makes the folder where it is missing, with those above it; their owner can enter them, whatever the umask. */
const makeFolder = (folder: string): void => {
  if (fs.existsSync(folder)) return
  makeFolder(path.dirname(folder))
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
    fs.chmodSync(folder, 0o700)
  } catch (error) {
    // Another process may have been faster.
    if (!fs.existsSync(folder)) throw error
  }
}

/** Creates an empty file that only its owner can read, whatever the umask, in a folder that only its owner can enter. */
const createFile = (file: string): void => {
  try {
    makeFolder(path.dirname(file))
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
    const descriptor = fs.openSync(file, O_RDWR | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), 0o600)
    fs.fchmodSync(descriptor, 0o600)
    fs.closeSync(descriptor)
  } catch (error) {
    if (error instanceof Error && 'code' in error) {
      if (error.code === 'EEXIST') return
      if (error.code === 'ENOSPC')
        throw new JobqError('unavailable', `${file}: no space left on the device`, { cause: error })
      throw new JobqError('permission', `cannot create ${file}: ${error.message}`, { cause: error })
    }
    throw error
  }
}

/** True for a file that says that it is ours; one that cannot be used is refused. */
const hasOurHeader = (file: string): boolean => {
  const header = headerOf(file)
  const { isSqlite, size, wholeSize, userVersion } = header
  if (!isSqlite) refuse(file, 'is not a SQLite database')
  if (wholeSize > size) refuse(file, `is cut short: ${size} bytes of ${wholeSize}; restore it from a backup`)
  const ours = header.applicationId === applicationId
  if (ours && userVersion > schemaVersion) {
    refuse(file, `was written by a newer jobq (schema ${userVersion}, this one knows ${schemaVersion})`)
  }
  return ours
}

const headerOf = (file: string): FileHeader => {
  try {
    return readHeader(file)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new JobqError('permission', `${file} cannot be read: ${reason}`, { cause: error })
  }
}

/** WAL, and `synchronous=FULL`: an opened WAL file would otherwise fall back to NORMAL, which a power cut makes lossy. */
const prepareConnection = (database: SqliteDatabase, readonly: boolean): void => {
  if (!readonly && database.pragma('journal_mode', { simple: true }) !== 'wal') database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  // A burst of small jobs touches the same pages again and again: fewer, larger checkpoints write them once.
  database.pragma('wal_autocheckpoint = 4000')
  database.pragma('cache_size = -8000')
  if (database.pragma('synchronous', { simple: true }) !== 2) throw new Error('synchronous=FULL was not accepted')
}

const isOurs = (database: SqliteDatabase): boolean =>
  database.prepare("SELECT 1 FROM pragma_table_info('jobq_meta') WHERE name = 'value'").get() !== undefined

/** The schema version of jobq's tables in this database, 0 where there are none. */
export const schemaOf = (database: SqliteDatabase): number => {
  if (database.pragma('application_id', { simple: true }) === applicationId)
    return Number(database.pragma('user_version', { simple: true }))
  if (!isOurs(database)) return 0
  return Number(database.prepare("SELECT value FROM jobq_meta WHERE key = 'schema'").pluck().get() ?? 0)
}

/** The schema version, and whether it is 0 because the tables are another application's. */
const schemaIn = (database: SqliteDatabase): { version: number; foreign: boolean } =>
  // One picture: another process may be making the tables between two of them.
  database.transaction(() => {
    const version = schemaOf(database)
    const used = version === 0 && database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined
    return { version, foreign: used }
  })()

const prepareSchema = (
  database: SqliteDatabase,
  options: { own: boolean; migrate: boolean; anySchema: boolean; name: string },
): void => {
  const { version, foreign } = schemaIn(database)
  if (version === schemaVersion) return
  if (version > schemaVersion)
    refuse(options.name, `was written by a newer jobq (schema ${version}, this one knows ${schemaVersion})`)
  if (options.own && foreign) refuse(options.name, 'belongs to another application')
  if (options.anySchema) return
  if (!options.migrate)
    refuse(options.name, version === 0 ? 'holds no queues yet' : `has the older schema ${version}: run 'jobq migrate'`)
  applyMigrations(database, options.own && (version === 0 || !isEmbedded(database)))
}

/** True when jobq's tables live in an application's own database. */
export const isEmbedded = (database: SqliteDatabase): boolean =>
  isOurs(database) && database.pragma('application_id', { simple: true }) !== applicationId

const applyMigrations = (database: SqliteDatabase, own: boolean): void => {
  const apply = () => {
    const version = schemaOf(database)
    for (const migration of migrations) if (migration.version > version) database.exec(migration.sql)
    database.prepare("INSERT OR REPLACE INTO jobq_meta(key, value) VALUES ('schema', ?)").run(schemaVersion)
    if (!own) return
    database.pragma(`application_id = ${applicationId}`)
    database.pragma(`user_version = ${schemaVersion}`)
  }
  if (database.inTransaction) {
    apply()
    return
  }
  waitForLock(() => database.transaction(apply).immediate())
  // The header itself, not only the log beside it, must say whose file this is.
  if (own) database.pragma('wal_checkpoint(TRUNCATE)')
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Runs `work`, trying again while another connection holds the lock, for at most `timeoutMs`. Blocks the thread. */
export const waitForLock = <T>(work: () => T, timeoutMs = 10_000): T => {
  const end = performance.now() + timeoutMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error
      Atomics.wait(pause, 0, 0, 0.2 + Math.random())
    }
  }
}

/** True for an error that says "another connection holds the lock". */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_BUSY')
