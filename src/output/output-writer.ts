/**
 * Writes one run's output: by itself for a task in JavaScript, or through descriptors that a command inherits
 * and `observe` looks after. Files come into being with the first byte (`write`) or on demand (`open`); one
 * without a byte is gone after `close`. Where both streams are used, a third file records their order: lines
 * `o <place>` and `e <place>`, each saying how far that stream had come when the other one went on.
 */
import { basePath, type OutputKey, type OutputStream, orderPath, streamPath } from './output-path.ts'
import { appendPrivate, StreamFile } from './stream-file.ts'

/** What is kept of one run's output unless said otherwise: 10 MiB. */
export const defaultMaxOutputBytes = 10 * 1024 * 1024

const streams = ['stdout', 'stderr'] as const
const pieceBytes = 1024 * 1024
const maxOrderBytes = 1024 * 1024

/** The output of one run, while it runs. */
export class OutputWriter {
  readonly #base: string
  readonly #maxBytes: number
  readonly #files: { [stream in OutputStream]?: StreamFile } = {}
  #last: OutputStream | null = null
  #orderBytes = 0

  constructor(folder: string, key: OutputKey, maxBytes: number = defaultMaxOutputBytes) {
    this.#base = basePath(folder, key)
    this.#maxBytes = maxBytes
  }

  /** The stream's file, created if need be, for a command to inherit its descriptor. */
  open(stream: OutputStream): StreamFile {
    const file = this.#files[stream] ?? new StreamFile(streamPath(this.#base, stream))
    this.#files[stream] = file
    return file
  }

  /** Appends to a stream. */
  write(stream: OutputStream, data: Uint8Array): void {
    const file = this.open(stream)
    this.#note(stream)
    for (let done = 0; done < data.length; done += pieceBytes) {
      file.append(data.subarray(done, done + pieceBytes))
      this.#trim()
    }
  }

  /** Looks what a command has written meanwhile, notes the order and cuts what is too much; answers how many bytes came. */
  observe(): number {
    let bytes = 0
    for (const stream of streams) {
      const grown = this.#files[stream]?.refresh() ?? 0
      if (grown > 0) this.#note(stream)
      bytes += grown
    }
    if (bytes > 0) this.#trim()
    return bytes
  }

  /** Lets go of the files. */
  close(): void {
    for (const stream of streams) {
      this.#files[stream]?.close()
      delete this.#files[stream]
    }
  }

  #note(stream: OutputStream): void {
    const [before, file] = [this.#last, this.#last && this.#files[this.#last]]
    this.#last = stream
    if (!file || before === stream || this.#orderBytes > maxOrderBytes) return
    const line = `${before === 'stdout' ? 'o' : 'e'} ${file.end}\n`
    this.#orderBytes += line.length
    appendPrivate(orderPath(this.#base), line)
  }

  // Of a stream that has more than half of the room, a quarter of the room is kept from its beginning and an eighth or more from its end.
  #trim(): void {
    const files = streams.flatMap((stream) => this.#files[stream] ?? [])
    if (files.reduce((sum, file) => sum + file.bytes, 0) <= this.#maxBytes) return
    for (const file of files) {
      if (file.bytes > this.#maxBytes / 2) file.trim(Math.floor(this.#maxBytes / 4), Math.floor(this.#maxBytes / 8))
    }
  }
}
