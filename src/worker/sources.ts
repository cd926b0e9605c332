/**
 * What the code in the children was made from: the task files that were found, every file that was imported, and
 * what else the user wants watched, each with its content as it was at the last attempt to load. Comparing that with
 * the disk tells what has changed since, whatever happened in between: only content counts, not times or events.
 */
import fs from 'node:fs'
import path from 'node:path'
import { discoverTasks } from '../pool/discover-tasks.ts'
import { contentHash } from '../user-imports.ts'

/** Told of a file's content by two children that have found different ones: it equals nothing. */
const various = 'various'

/** The files behind the tasks. */
export class Sources {
  /** Files and folders of tasks, absolute. */
  readonly tasks: readonly string[]
  /** Files and folders that are watched as well, absolute; null where nothing is watched. */
  readonly include: readonly string[] | null
  /** Called when a file has been imported for the first time since the last attempt. */
  onImport: (file: string) => void = () => {}
  #found = new Map<string, string>()
  #imported = new Map<string, string | null>()

  constructor(tasks: readonly string[], include: readonly string[] | null) {
    this.tasks = tasks.map((task) => path.resolve(task))
    this.include = include?.map((file) => path.resolve(file)) ?? null
    this.begin()
  }

  /** Every file that has been imported, with links resolved. */
  get imported(): readonly string[] {
    return [...this.#imported.keys()]
  }

  /** The tasks are about to be loaded as they are on the disk now. */
  begin(): void {
    if (this.include === null) return
    this.#imported = new Map()
    this.#found = this.#look()
  }

  /** A child imports a file with this content, or wanted to where it is missing: null. */
  record(file: string, hash: string | null): void {
    const known = this.#imported.get(file)
    this.#imported.set(file, known === undefined || known === hash ? hash : various)
    if (known === undefined) this.onImport(file)
  }

  /** The files that are not what they were at the last attempt, and whether one of them has gone. */
  changes(): { readonly files: readonly string[]; readonly gone: boolean } {
    const found = this.#look()
    const moved = [...new Set([...found.keys(), ...this.#found.keys()])].filter(
      (file) => found.get(file) !== this.#found.get(file),
    )
    const rewritten = [...this.#imported].filter(([file, hash]) => contentHash(file) !== hash).map(([file]) => file)
    const files = [...new Set([...moved, ...rewritten])].sort()
    return { files, gone: files.some((file) => !fs.existsSync(file)) }
  }

  /** What counts of a module beside its content, which is known once it is imported; executables are read at every run. */
  #look(): Map<string, string> {
    const found = new Map<string, string>()
    for (const { file, kind } of discoverTasks(this.tasks).files) found.set(file, `${kind} ${realPath(file)}`)
    for (const root of this.include ?? []) for (const file of filesUnder(root)) found.set(file, contentHash(file) ?? '')
    return found
  }
}

const filesUnder = (root: string): string[] => {
  const info = fs.statSync(root, { throwIfNoEntry: false })
  if (!info?.isDirectory()) return info === undefined ? [] : [root]
  return fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

const realPath = (file: string): string => {
  try {
    return fs.realpathSync(file)
  } catch {
    return ''
  }
}
