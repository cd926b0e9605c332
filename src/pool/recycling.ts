/**
 * Replaces children that have run enough jobs or grown too large. A replacement is started beside the pool while the
 * old child still works, so early that it should be ready in time, and takes over when the old one has nothing left in
 * its hands: there are never more children at work than wanted, and no moment without one. Few replacements load at the
 * same time, each begun at a moment that chance has a part in, because children that began together wear out together.
 */
import type { ForkedChild } from './forked-child.ts'
import type { Found, RunJob } from './pool.ts'
import { residentBytes } from './resident-bytes.ts'
import { type ChildLimits, lastsMs } from './wear.ts'

/** What `Recycling` works with. */
export interface RecyclingParts<J extends RunJob> {
  readonly limits: ChildLimits
  /** The children that are to go on. */
  readonly children: () => readonly ForkedChild<J>[]
  readonly mayStart: () => boolean
  /** Starts a child beside the pool. */
  readonly start: () => Standing<J>
  /** The fresh child takes the old one's place, which has nothing in its hands. */
  readonly takeOver: (old: ForkedChild<J>, fresh: ForkedChild<J>, found: Found) => void
}

/** A child beside the pool; `loaded` rejects when it dies. */
export interface Standing<J extends RunJob> {
  readonly child: ForkedChild<J>
  readonly loaded: Promise<Found>
}

interface Watch<J extends RunJob> {
  busyMs: number
  busyTick: number | null
  baseBytes: number
  bytes: number
  measuredTick: number
  /** 1 to 2: how early its replacement is begun. */
  readonly haste: number
  next: { readonly child: ForkedChild<J>; found: Found | null } | null
}

/** What is reckoned for a start before one was seen, in milliseconds. */
const usualStartMs = 500
/** Replacements should be ready when this many starts' time is left. */
const startsAhead = 2
const measureEveryMs = 20
/** Replacements that load at the same time, as a share of the children: one at least. */
const loadingShare = 1 / 4

/** The recycling of one pool's children. */
export class Recycling<J extends RunJob> {
  readonly #parts: RecyclingParts<J>
  readonly #watches = new Map<ForkedChild<J>, Watch<J>>()
  #startMs = usualStartMs

  constructor(parts: RecyclingParts<J>) {
    this.#parts = parts
  }

  /** Looks after all children: another one may be begun. */
  readonly lookAtAll = (): void => {
    for (const child of this.#parts.children()) this.look(child)
  }

  /** Something has changed about a child that is ready: it was given jobs, has ended some, or is full. */
  readonly look = (child: ForkedChild<J>): void => {
    if (!child.wasReady || child.going) return
    const record = this.#measure(child)
    const worn = child.remaining === 0
    if (record.next === null) {
      const due = worn || this.#lasts(child, record) <= this.#startMs * startsAhead * record.haste
      if (due && this.#parts.mayStart() && (worn || this.#mayLoad)) void this.#begin(child, record)
    } else if (record.next.found !== null && worn && child.inFlight === 0) {
      const { child: fresh, found } = record.next
      record.next = null
      this.#parts.takeOver(child, fresh, found)
    }
  }

  /** A child is gone or goes; gives the one that was to replace it, if it is ready. Another is killed. */
  forget(child: ForkedChild<J>): { readonly child: ForkedChild<J>; readonly found: Found } | null {
    const next = this.#watches.get(child)?.next ?? null
    this.#watches.delete(child)
    if (next === null) return null
    if (next.found !== null) return { child: next.child, found: next.found }
    next.child.kill('replaced')
    return null
  }

  /** A child is dead that may have stood ready for another one. */
  lost(dead: ForkedChild<J>): void {
    for (const watch of this.#watches.values()) if (watch.next?.child === dead) watch.next = null
  }

  get #mayLoad(): boolean {
    const loading = this.#watches.values().filter(({ next }) => next !== null && next.found === null)
    return [...loading].length < Math.max(1, this.#parts.children().length * loadingShare)
  }

  async #begin(old: ForkedChild<J>, record: Watch<J>): Promise<void> {
    const begunTick = performance.now()
    const { child, loaded } = this.#parts.start()
    const next: Watch<J>['next'] = { child, found: null }
    record.next = next
    try {
      next.found = await loaded
      this.#startMs = performance.now() - begunTick
    } catch {
      // It has died; the pool knows, and looks again when it is time.
      return
    }
    this.look(old)
    this.lookAtAll()
  }

  #lasts(child: ForkedChild<J>, { busyMs, baseBytes, bytes }: Watch<J>): number {
    return lastsMs({ busyMs, jobs: child.processed, baseBytes, bytes }, this.#parts.limits)
  }

  #measure(child: ForkedChild<J>): Watch<J> {
    const now = performance.now()
    const record = this.#watches.get(child) ?? this.#newWatch(child, now)
    if (record.busyTick !== null) record.busyMs += now - record.busyTick
    record.busyTick = child.inFlight > 0 ? now : null
    if (this.#parts.limits.maxBytes !== null && now - record.measuredTick >= measureEveryMs) {
      record.bytes = residentBytes(child.pid) ?? record.bytes
      record.measuredTick = now
    }
    return record
  }

  #newWatch(child: ForkedChild<J>, now: number): Watch<J> {
    const bytes = this.#parts.limits.maxBytes === null ? 0 : (residentBytes(child.pid) ?? 0)
    const haste = 1 + Math.random()
    const record = { busyMs: 0, busyTick: null, baseBytes: bytes, bytes, measuredTick: now, haste, next: null }
    this.#watches.set(child, record)
    return record
  }
}
