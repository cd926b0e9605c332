import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** The descriptor of a child's own time card. */
export const cardFd = 5

const offsetMs = Number(process.hrtime.bigint() / 1_000n) / 1_000 - performance.now()

/** Milliseconds on the machine's monotonic clock for a moment of `performance.now`; all processes of one boot share it. */
export const machineTick = (tick: number = performance.now()): number => tick + offsetMs

/** A run as its child noted it. */
export interface Punch {
  readonly seq: number
  /** When it began, as `machineTick` counts. */
  readonly tick: number
}

/**
 * Where a child notes which job it begins, and when: a small file without a name that its worker can read at any time,
 * also when the child is stuck or stopped and can say nothing. A note costs a microsecond, and none that follows it.
 */
export class TimeCard {
  readonly fd: number
  readonly #note = new Float64Array(2)

  constructor(fd: number) {
    this.fd = fd
  }

  /** A job begins; `tick` is the moment on the clock of `performance.now`. */
  punch(seq: number, tick: number): void {
    this.#note[0] = seq
    this.#note[1] = machineTick(tick)
    fs.writeSync(this.fd, this.#note, 0, this.#note.byteLength, 0)
  }

  /** The last job that was noted; null before the first. */
  read(): Punch | null {
    // What is read while it is written may be half of one note and half of the next: such a one is not read twice.
    let last = this.#readOnce()
    for (;;) {
      const again = this.#readOnce()
      if (again?.seq === last?.seq && again?.tick === last?.tick) return again
      last = again
    }
  }

  #readOnce(): Punch | null {
    const bytes = fs.readSync(this.fd, this.#note, 0, this.#note.byteLength, 0)
    const [seq = 0, tick = 0] = this.#note
    return bytes < this.#note.byteLength || seq === 0 ? null : { seq, tick }
  }

  close(): void {
    fs.closeSync(this.fd)
  }
}

let made = 0

/** A card for a new child, in memory where the system offers that; null where no place takes it. */
export const newTimeCard = (): TimeCard | null => {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
  for (const folder of ['/dev/shm', os.tmpdir()]) {
    const file = path.join(folder, `.jobq-${process.pid}-${made++}`)
    try {
      const fd = fs.openSync(file, O_RDWR | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), 0o600)
      fs.unlinkSync(file)
      return blankCard(fd)
    } catch {
      // The next one, or none.
    }
  }
  return null
}

/** A card on which there is room for a note, whatever fills the place later; jobs have numbers from 1 on. */
const blankCard = (fd: number): TimeCard => {
  const card = new TimeCard(fd)
  try {
    card.punch(0, 0)
    return card
  } catch (error) {
    card.close()
    throw error
  }
}
