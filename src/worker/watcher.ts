/**
 * Reloads the tasks when a file behind them has changed. The file system's events only say when to look: what has
 * changed is found by comparing contents, so a file that was touched, or saved as it was, changes nothing, and no
 * kind of saving, renaming or replacing is missed. After every reload it looks again, so that a save meanwhile is not lost.
 */
import path from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import type { ResolvedOptions } from './options.ts'
import type { Reloader } from './reloader.ts'
import type { Sources } from './sources.ts'

/** What `Watcher` works with. */
export interface WatcherParts {
  readonly sources: Sources
  readonly reloader: Reloader
  readonly options: ResolvedOptions
}

/** Quiet for so long, or noisy for so much longer, in milliseconds: then it is time to look. */
const quietMs = 60
const noisyMs = 500
/** A file that is gone may be about to come back: some programs save by deleting first. */
const comebackMs = 300
/** So many files are named in a reason. */
const named = 3

/** Watches the files behind the tasks. */
export class Watcher {
  readonly #of: WatcherParts
  readonly #files: FSWatcher
  readonly #known = new Set<string>()
  readonly #said = new Set<string>()
  #timer: NodeJS.Timeout | null = null
  #noisySince: number | null = null
  #goneSince: number | null = null
  #closed = false

  constructor(of: WatcherParts) {
    this.#of = of
    const { sources, reloader } = of
    const roots = [...sources.tasks, ...(sources.include ?? [])]
    this.#files = watch(roots, { ignored: (file) => this.#isIgnored(file) })
    this.#files.on('all', () => this.#look())
    this.#files.on('error', (error) => this.#complain(error))
    for (const file of sources.imported) this.#add(file)
    sources.onImport = (file) => this.#add(file)
    reloader.onEnd = () => this.#look()
    this.#look()
  }

  /** How many folders it watches. */
  get folders(): number {
    return Object.keys(this.#files.getWatched()).length
  }

  /** Ends watching. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#of.sources.onImport = () => {}
    this.#of.reloader.onEnd = () => {}
    await this.#files.close()
  }

  #add(file: string): void {
    if (this.#known.has(file)) return
    this.#known.add(file)
    this.#files.add(file)
  }

  /** Below the folders of tasks: packages, and what is hidden, unless a task imports it. */
  #isIgnored(file: string): boolean {
    const { tasks, include } = this.#of.sources
    if (this.#known.has(file) || (include ?? []).some((root) => isInside(file, root))) return false
    const root = tasks.find((task) => isInside(file, task))
    return root !== undefined && /(^|[\\/])(\.|node_modules([\\/]|$))/.test(path.relative(root, file))
  }

  /** Looks once all is quiet. */
  #look(afterMs = quietMs): void {
    if (this.#closed) return
    const now = performance.now()
    this.#noisySince ??= now
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#check(), Math.max(0, Math.min(afterMs, this.#noisySince + noisyMs - now)))
  }

  #check(): void {
    this.#timer = null
    this.#noisySince = null
    const { files, gone } = this.#of.sources.changes()
    const now = performance.now()
    this.#goneSince = gone ? (this.#goneSince ?? now) : null
    if (files.length === 0) return
    if (this.#goneSince !== null && now < this.#goneSince + comebackMs) {
      this.#look(this.#goneSince + comebackMs - now)
      return
    }
    this.#goneSince = null
    const names = files.slice(0, named).map((file) => path.relative('', file))
    const more = files.length > named ? ` and ${files.length - named} more` : ''
    void this.#of.reloader.reload(`changed: ${names.join(', ')}${more}`)
  }

  #complain(error: unknown): void {
    const { log, logs, clock } = this.#of.options
    const message = `watching: ${error instanceof Error ? error.message : error}`
    if (this.#said.has(message) || !logs('warn')) return
    this.#said.add(message)
    log({ level: 'warn', at: clock.now().at, type: 'worker.notice', message })
  }
}

const isInside = (file: string, folder: string): boolean => file === folder || file.startsWith(folder + path.sep)
