import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { openDatabase, type SqliteDatabase } from '../../src/broker/sqlite/native.ts'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { Scene } from './conformance/scene.ts'

/** A scene on a file of its own, and a second connection that looks into its tables; both are gone after the test. */
export const openSqliteScene = (context: TestContext): { scene: Scene; database: SqliteDatabase } => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-scene-'))
  const broker = SqliteBroker.open(path.join(folder, 'jobs.db'))
  const database = openDatabase(path.join(folder, 'jobs.db'))
  context.after(async () => {
    database.close()
    await broker.close()
    fs.rmSync(folder, { recursive: true })
  })
  return { scene: new Scene(broker), database }
}
