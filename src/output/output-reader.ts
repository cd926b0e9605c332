/**
 * Reads what jobs have written, both streams in the order in which they were written as far as that is known,
 * without the lines by which commands tell their progress. A part that was cut is told in its place.
 */
import fs from 'node:fs'
import { basePath, type OutputStream, orderPath, parseOutputName, shardOf, streamPath } from './output-path.ts'
import { ProgressLineFilter } from './progress-line.ts'
import { readRange, segmentsOf } from './stream-file.ts'

/** A piece of a job's output, as the bytes that it wrote. */
export interface OutputChunk {
  readonly stream: OutputStream
  readonly data: Buffer
}

/** Which output to read: the latest attempt's unless said, both streams unless said. */
export interface OutputSelection {
  readonly attempt?: number
  readonly stream?: OutputStream
}

const pieceBytes = 1024 * 1024

/** The attempts of a job that have output, in order. */
export const outputAttempts = (folder: string, id: number): number[] => {
  const keys = listNames(shardOf(folder, id)).map(parseOutputName)
  const attempts = keys.flatMap((key) => (key?.id === id ? [key.attempt] : []))
  return [...new Set(attempts)].sort((a, b) => a - b)
}

/** All of a job's output that is there now; empty where there is none. */
export const readOutput = (folder: string, id: number, selection: OutputSelection = {}): OutputChunk[] => {
  const attempt = selection.attempt ?? outputAttempts(folder, id).at(-1)
  if (attempt === undefined) return []
  const reader = new AttemptReader(basePath(folder, { id, attempt }), selection.stream)
  return [...reader.read(), ...reader.rest()]
}

/**
 * A job's output as it comes. Begins with what is there, goes on with the attempts to come where none is
 * named, and after `signal` gives what is left and ends.
 */
export async function* followOutput(
  folder: string,
  id: number,
  options: OutputSelection & { readonly signal: AbortSignal; readonly intervalMs?: number },
): AsyncGenerator<OutputChunk, void, undefined> {
  let reader: AttemptReader | null = null
  let reading = 0
  for (;;) {
    const ending = options.signal.aborted
    const attempts = options.attempt === undefined ? outputAttempts(folder, id) : [options.attempt]
    for (const attempt of reader ? attempts.filter((each) => each >= reading) : attempts.slice(-1)) {
      if (attempt !== reading && reader) yield* reader.rest()
      if (attempt !== reading) reader = new AttemptReader(basePath(folder, { id, attempt }), options.stream)
      reading = attempt
      if (reader) yield* reader.read()
    }
    if (ending) break
    await pause(options.intervalMs ?? 100, options.signal)
  }
  if (reader) yield* reader.rest()
}

/** Reads one attempt, going on where it stopped. */
class AttemptReader {
  readonly #base: string
  readonly #streams: readonly StreamReader[]
  #orderRead = 0

  constructor(base: string, only: OutputStream | undefined) {
    this.#base = base
    const streams: OutputStream[] = only ? [only] : ['stdout', 'stderr']
    this.#streams = streams.map((stream) => new StreamReader(streamPath(base, stream), stream))
  }

  *read(): Generator<OutputChunk> {
    // A switch is recorded before the other stream goes on, so all of them up to these ends are known behind this.
    const ends = this.#streams.map((reader) => ({ reader, end: reader.end() }))
    for (const { stream, place } of this.#order()) {
      const reader = this.#streams.find((each) => each.stream === stream)
      if (reader) yield* reader.read(place)
    }
    for (const { reader, end } of ends) yield* reader.read(end)
  }

  *rest(): Generator<OutputChunk> {
    for (const reader of this.#streams) yield* reader.rest()
  }

  #order(): { stream: OutputStream; place: number }[] {
    if (this.#streams.length === 1) return []
    const text = readRange(orderPath(this.#base), this.#orderRead, pieceBytes * 2).toString('latin1')
    const complete = text.slice(0, text.lastIndexOf('\n') + 1)
    this.#orderRead += complete.length
    return complete
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ stream: line.startsWith('o') ? 'stdout' : 'stderr', place: Number(line.slice(2)) }))
  }
}

class StreamReader {
  readonly stream: OutputStream
  readonly #file: string
  readonly #filter = new ProgressLineFilter()
  #place = 0

  constructor(file: string, stream: OutputStream) {
    this.#file = file
    this.stream = stream
  }

  *read(upTo: number): Generator<OutputChunk> {
    if (upTo <= this.#place) return
    for (const segment of segmentsOf(this.#file)) {
      if (segment.end <= this.#place) continue
      if (segment.start >= upTo) return
      const cut = segment.start - this.#place
      if (cut > 0) {
        this.#place = segment.start
        yield this.#chunk(Buffer.from(`\n[jobq: ${cut} bytes of output were cut here]\n`))
      }
      while (this.#place < Math.min(segment.end, upTo)) {
        const bytes = Math.min(segment.end, upTo) - this.#place
        const offset = segment.offset + this.#place - segment.start
        const data = readRange(segment.file, offset, Math.min(bytes, pieceBytes))
        if (data.length === 0) return
        this.#place += data.length
        const kept = this.#filter.push(data)
        if (kept.length > 0) yield this.#chunk(kept)
      }
    }
  }

  /** The place behind the last byte that is there now. */
  end(): number {
    return segmentsOf(this.#file).at(-1)?.end ?? 0
  }

  /** What was held back because it might have become a progress line. */
  *rest(): Generator<OutputChunk> {
    const rest = this.#filter.end()
    if (rest.length > 0) yield this.#chunk(rest)
  }

  #chunk(data: Buffer): OutputChunk {
    return { stream: this.stream, data }
  }
}

const listNames = (folder: string): string[] => {
  try {
    return fs.readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
