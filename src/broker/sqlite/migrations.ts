/** The numbered `migrations/*.sql` files, in order. */
import fs from 'node:fs'
import path from 'node:path'

/** One step of the schema: its number, its name and the statements that take the schema from the number before. */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly sql: string
}

/** Every migration, lowest number first. */
export const migrations: readonly Migration[] = readMigrations(path.resolve(import.meta.dirname, '../../../migrations'))

// A bundle has no folder of migrations: build/bundle.ts replaces this module by one that holds what this function found.
function readMigrations(folder: string): Migration[] {
  const found: Migration[] = []
  for (const file of fs.readdirSync(folder).sort()) {
    const [, version, name] = /^(\d+)-([\w-]+)\.sql$/.exec(file) ?? []
    if (version === undefined || name === undefined) continue
    found.push({ version: Number(version), name, sql: fs.readFileSync(path.join(folder, file), 'utf8') })
  }
  return found
}
