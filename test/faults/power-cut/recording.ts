// What `recorder.c` has recorded, and what a disk may hold after the power went at some moment of it.
import fs from 'node:fs'
import type { SeededRandom } from '../../support/random.ts'

/** One recorded operation. */
export interface Operation {
  readonly kind: 'write' | 'sync' | 'truncate' | 'unlink' | 'rename'
  readonly path: string
  readonly offset: number
  readonly data: Buffer
}

const kinds: Readonly<Record<string, Operation['kind']>> = {
  w: 'write',
  s: 'sync',
  t: 'truncate',
  u: 'unlink',
  r: 'rename',
}

/** Reads a recording. */
export const readRecording = (file: string): Operation[] => {
  const bytes = fs.readFileSync(file)
  const operations: Operation[] = []
  for (let place = 0; place < bytes.length; ) {
    const kind = kinds[String.fromCharCode(bytes[place] ?? 0)]
    if (kind === undefined) throw new Error(`no operation at byte ${place}`)
    const pathLength = bytes.readUInt32LE(place + 1)
    const offset = Number(bytes.readBigUInt64LE(place + 5))
    const dataLength = bytes.readUInt32LE(place + 13)
    const path = bytes.toString('utf8', place + 17, place + 17 + pathLength)
    const end = place + 17 + pathLength + dataLength
    operations.push({ kind, path, offset, data: bytes.subarray(end - dataLength, end) })
    place = end
  }
  return operations
}

/** What becomes of writes that were not synced when the power goes: none, all, or some of their sectors are on the disk. */
export type Unsynced = 'lost' | 'kept' | 'torn'

const sectorBytes = 512

class DiskFile {
  synced: Buffer = Buffer.alloc(0)
  pending: { readonly offset: number; readonly data: Buffer }[] = []

  sync(): void {
    this.synced = this.after('kept')
    this.pending = []
  }

  truncate(size: number): void {
    this.sync()
    this.synced =
      size <= this.synced.length ? this.synced.subarray(0, size) : written(this.synced, size, Buffer.alloc(0))
  }

  after(unsynced: Unsynced, random?: SeededRandom): Buffer {
    if (unsynced === 'lost') return this.synced
    let bytes = this.synced
    for (const { offset, data } of this.pending) {
      if (unsynced === 'kept') bytes = written(bytes, offset, data)
      else
        for (const [at, part] of sectors(offset, data))
          if ((random?.next() ?? 0) < 0.5) bytes = written(bytes, at, part)
    }
    return bytes
  }
}

const written = (bytes: Buffer, offset: number, data: Buffer): Buffer => {
  const result = Buffer.alloc(Math.max(bytes.length, offset + data.length))
  bytes.copy(result)
  data.copy(result, offset)
  return result
}

function* sectors(offset: number, data: Buffer): Generator<[number, Buffer]> {
  for (let from = 0; from < data.length; ) {
    const to = Math.min(data.length, from + sectorBytes - ((offset + from) % sectorBytes))
    yield [offset + from, data.subarray(from, to)]
    from = to
  }
}

/** A disk that operations are done to. Names come and go at once, contents are safe once they are synced. */
export class Disk {
  readonly #files = new Map<string, DiskFile>()

  apply({ kind, path, offset, data }: Operation): void {
    let file = this.#files.get(path)
    if (file === undefined) {
      file = new DiskFile()
      this.#files.set(path, file)
    }
    if (kind === 'write') file.pending.push({ offset, data })
    else if (kind === 'sync') file.sync()
    else if (kind === 'truncate') file.truncate(offset)
    else this.#files.delete(path)
    if (kind === 'rename') this.#files.set(data.toString(), file)
  }

  /** What the disk holds of a file if the power goes now; null where there is no such file. */
  afterCut(path: string, unsynced: Unsynced, random?: SeededRandom): Buffer | null {
    return this.#files.get(path)?.after(unsynced, random) ?? null
  }
}
