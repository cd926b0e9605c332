import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { readWhole } from './file-header.ts'
import { openDatabase, type SqliteDatabase } from './native.ts'

/**
 * Opens a database to look at it. Readers keep a shared index beside the file; where none can be made, because the
 * place cannot be written, they look at a copy, which nobody else can read and which is gone with them.
 */
export const openReadonly = (file: string): SqliteDatabase => {
  const database = openDatabase(file, { readonly: true, timeout: 0 })
  try {
    look(database)
    return database
  } catch (error) {
    if (!needsPlace(error)) return database
    database.close()
    return openCopy(file)
  }
}

const look = (database: SqliteDatabase): unknown => database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get()

const needsPlace = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^SQLITE_(CANTOPEN|READONLY)/.test(String(error.code))

const openCopy = (file: string): SqliteDatabase => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-look-'))
  try {
    const copy = path.join(folder, 'copy.db')
    fs.writeFileSync(copy, readWhole(file), { mode: 0o600 })
    if (fs.existsSync(`${file}-wal`)) fs.copyFileSync(`${file}-wal`, `${copy}-wal`)
    const database = openDatabase(copy, { readonly: true, timeout: 0 })
    look(database)
    return database
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}
