/** Looking after a queue file: hot backup, health check, schema. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { JobqError } from '../../errors.ts'
import { openFile, schemaOf, schemaVersion, translate, translated } from './database-file.ts'
import { openDatabase, type SqliteDatabase } from './native.ts'

/** One line of `jobq doctor`; `fix` says what to do where `ok` is false. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  readonly fix: string | null
}

/** Copied between two turns of the event loop. */
const pagesAtOnce = 100
/** Free space below which `doctor` speaks up, in bytes. */
const littleSpace = 100 * 1024 * 1024
/** A log beside the file larger than this is not being checkpointed, in bytes. */
const largeLog = 256 * 1024 * 1024

/**
 * Copies the queue file while it is in use; the copy is whole, sound, private, and named `target` only once it is. `onPages`
 * is told how far it is.
 * @throws JobqError `conflict` when `target` exists and `force` is not given, `unusable` for a file that is not sound
 */
export const backup = async (
  file: string,
  target: string,
  options: { readonly force: boolean; readonly onPages?: (copied: number, all: number) => void },
): Promise<void> => {
  if (!options.force && fs.existsSync(target)) throw new JobqError('conflict', `${target} exists; --force replaces it`)
  if (fs.existsSync(target) && fs.realpathSync(target) === fs.realpathSync(file)) {
    throw new JobqError('usage', `${target} is the queue file itself`)
  }
  const database = openFile(file, { readonly: true })
  const folder = path.dirname(target)
  if (!fs.existsSync(folder)) throw new JobqError('not-found', `there is no folder ${folder}`)
  const unfinished = path.join(folder, `.${path.basename(target)}.${process.pid}`)
  try {
    fs.closeSync(fs.openSync(unfinished, 'wx', 0o600))
    const progress = ({ totalPages, remainingPages }: { totalPages: number; remainingPages: number }): number => {
      options.onPages?.(totalPages - remainingPages, totalPages)
      return pagesAtOnce
    }
    await database.backup(unfinished, { progress }).catch((error: unknown) => {
      throw translated(target, error)
    })
    checkCopy(unfinished, file)
    syncFile(unfinished)
    fs.renameSync(unfinished, target)
    for (const rest of ['-wal', '-shm']) fs.rmSync(`${target}${rest}`, { force: true })
  } finally {
    for (const rest of ['', '-wal', '-shm']) fs.rmSync(`${unfinished}${rest}`, { force: true })
    database.close()
  }
}

// Pages are copied as they are, damaged ones too. The copy is looked through, not the queue file, which others work with.
const checkCopy = (copy: string, file: string): void =>
  translate(file, () => {
    const database = openDatabase(copy, { fileMustExist: true, timeout: 0 })
    try {
      const found = String(database.pragma('integrity_check(1)', { simple: true }))
      if (found === 'ok') return
      const damage = found.split('\n').at(-1)
      throw new JobqError('unusable', `${file} is not a sound database, nothing was copied: ${damage}`)
    } finally {
      database.close()
    }
  })

const syncFile = (file: string): void => {
  const descriptor = fs.openSync(file, 'r+')
  fs.fsyncSync(descriptor)
  fs.closeSync(descriptor)
}

/** Brings the schema up to date, or only says what that would take. Answers the schema before and after. */
export const migrateDatabase = async (
  file: string,
  options: { readonly dryRun: boolean },
): Promise<{ from: number; to: number }> => {
  const before = openFile(file, { readonly: options.dryRun, create: false, migrate: false, anySchema: true })
  const from = schemaOf(before)
  before.close()
  if (!options.dryRun && from !== schemaVersion) openFile(file, { create: false }).close()
  return { from, to: schemaVersion }
}

/** Checks that the file is there, ours, sound, private, and has room to grow. Changes nothing. */
export const doctor = async (file: string): Promise<Check[]> => {
  const checks: Check[] = []
  const add = (name: string, ok: boolean, what: { readonly detail: string; readonly fix: string }) =>
    checks.push({ name, ok, detail: what.detail, fix: ok ? null : what.fix })
  let database: SqliteDatabase
  try {
    database = openFile(file, { readonly: true, anySchema: true })
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const code = error instanceof JobqError ? error.code : ''
    const fix =
      code === 'not-found'
        ? 'the first enqueue or run creates it; or name another with --broker'
        : code === 'permission'
          ? 'run as the user who owns the file'
          : 'name another file with --broker, or restore this one from a backup'
    add('open', false, { detail, fix })
    return checks
  }
  try {
    add('open', true, { detail: file, fix: '' })
    const schema = schemaOf(database)
    add('schema', schema === schemaVersion, {
      detail: `schema ${schema} of ${schemaVersion}`,
      fix: "run 'jobq migrate'",
    })
    const sound = checkSoundness(database, file, add)
    if (sound && schema === schemaVersion) translate(file, () => checkWorkers(database, add))
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    add('tables', false, { detail, fix: 'restore this file from a backup' })
  } finally {
    database.close()
  }
  checkSurroundings(file, add)
  return checks
}

type Add = (name: string, ok: boolean, what: { readonly detail: string; readonly fix: string }) => void

const checkSoundness = (database: SqliteDatabase, file: string, add: Add): boolean => {
  const fix = `restore a backup, or save what can be read: sqlite3 ${file} .recover`
  try {
    const found = translate(file, () => database.pragma('integrity_check(3)')) as { integrity_check: string }[]
    const detail = found.map((row) => row.integrity_check).join('; ')
    add('integrity', detail === 'ok', { detail, fix })
    const journal = String(database.pragma('journal_mode', { simple: true }))
    add('journal', journal === 'wal', { detail: journal, fix: `sqlite3 ${file} 'PRAGMA journal_mode=WAL'` })
    return detail === 'ok'
  } catch (error) {
    add('integrity', false, { detail: error instanceof Error ? error.message : String(error), fix })
    return false
  }
}

const checkWorkers = (database: SqliteDatabase, add: Add): void => {
  const waiting = Number(database.prepare('SELECT coalesce(sum(last - job + 1), 0) FROM jobq_ready').pluck().get())
  const workers = Number(database.prepare('SELECT count(*) FROM jobq_workers WHERE left_at IS NULL').pluck().get())
  const detail = `${workers} online, ${waiting} job${waiting === 1 ? '' : 's'} ready`
  add('workers', workers > 0 || waiting === 0, {
    detail,
    fix: "jobs wait and nobody runs them: start one with 'jobq run'",
  })
}

const checkSurroundings = (file: string, add: Add): void => {
  const mode = fs.statSync(file).mode & 0o777
  const readable = (mode & 0o077) !== 0
  add('permissions', !readable, { detail: `0${mode.toString(8)}`, fix: `others can read payloads: chmod 600 ${file}` })
  const log = fs.statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
  add('log', log < largeLog, {
    detail: `${Math.round(log / 1024)} KiB`,
    fix: 'a reader holds an old picture open and keeps the log from being written back: close long-running sqlite3 sessions',
  })
  const { bavail, bsize } = fs.statfsSync(path.dirname(file))
  const free = Number(bavail) * Number(bsize)
  add('space', free >= littleSpace, {
    detail: `${Math.round(free / 1024 / 1024)} MiB free`,
    fix: 'make room on this file system',
  })
  add('platform', true, { detail: `${os.platform()} ${os.release()}, SQLite ${sqliteVersion()}`, fix: '' })
}

const sqliteVersion = (): string => {
  const database = openDatabase(':memory:')
  try {
    return String(database.prepare('SELECT sqlite_version()').pluck().get())
  } finally {
    database.close()
  }
}
