/**
 * What the log tells of a stretch of time: each step of it is read whole where that is little, and by a sample where it is
 * much, so that the graphs of a busy broker are there as fast as those of a quiet one.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Broker } from '../../src/broker/broker.ts'
import type { Moment } from '../../src/clock.ts'
import type { JobqEvent } from '../../src/event.ts'
import { percentiles } from '../../src/stats.ts'
import { addEvents, addWaits, isEnd, type Series, stepMs, type Wait } from './series.ts'

/** Read whole up to so many events, else so many of each step. */
const wholeAtMost = 5_000
const sampleOfStep = 40
const pageSize = 500

/** A stretch of time, in epoch milliseconds. */
export interface Stretch {
  readonly from: number
  readonly to: number
}

/** The series of a stretch of time. */
export const readSeries = async (broker: Broker, stretch: Stretch, now: Moment): Promise<Series> => {
  const { events } = broker
  const from = await events.cursorAt(stretch.from)
  const to = await events.cursorAt(stretch.to)
  if (to - from <= wholeAtMost) {
    let series: Series = []
    for (let cursor = from; cursor < to; ) {
      const page = await events.read({ after: cursor, limit: Math.min(pageSize, to - cursor) })
      if (page.cursor <= cursor) break
      series = addWaits(addEvents(series, page.events), await readWaits(broker, page.events, { most: 50, now }))
      cursor = page.cursor
      await nextTurn()
    }
    return series
  }
  let series: Series = []
  let before = from
  for (let at = (Math.floor(stretch.from / stepMs) + 1) * stepMs; at <= stretch.to + stepMs; at += stepMs) {
    const after = Math.min(to, await events.cursorAt(at))
    if (after > before) {
      const size = Math.min(after - before, sampleOfStep)
      const start = before + Math.floor((after - before - size) / 2)
      const page = await events.read({ after: start, limit: size })
      const weight = (after - before) / size
      series = addWaits(addEvents(series, page.events, weight), await readWaits(broker, page.events, { most: 3, now }))
      before = after
      await nextTurn()
    }
  }
  return series
}

/** How long some of the jobs that these events tell the start of had waited. */
export const readWaits = async (
  broker: Broker,
  events: readonly JobqEvent[],
  { most, now }: { readonly most: number; readonly now: Moment },
): Promise<Wait[]> => {
  const starts = events.filter(({ type }) => type === 'job.started')
  const every = Math.max(1, Math.ceil(starts.length / most))
  const waits: Wait[] = []
  for (let place = starts.length - 1; place >= 0; place -= every) {
    const start = starts[place]
    const job = start?.job == null ? null : await broker.jobs.get(start.job, now)
    // A job that was started again since then was due at another time.
    if (job === null || start === undefined || job.attempt !== start.attempt || job.state === 'queued') continue
    waits.push({ at: start.at, waitedMs: Math.max(0, start.at - job.dueAt) })
  }
  return waits
}

/** What was usual at some time. */
export interface Usual {
  readonly failuresPerSecond: number
  readonly waitP95Ms: number | null
}

/** What was usual in a stretch of time; null where the log does not hold all of it. */
export const readUsual = async (broker: Broker, stretch: Stretch, now: Moment): Promise<Usual | null> => {
  const { events } = broker
  const from = await events.cursorAt(stretch.from)
  const to = await events.cursorAt(stretch.to)
  const first = (await events.read({ after: 0, limit: 1 })).events[0]
  if (first === undefined || first.at > stretch.from || to <= from) return null
  const size = Math.min(to - from, 1_000)
  const page = await events.read({ after: from, limit: size })
  const failed = page.events.filter(
    (event) => isEnd(event) && event.type !== 'job.succeeded' && event.type !== 'job.cancelled',
  )
  const waits = await readWaits(broker, page.events, { most: 50, now })
  const seconds = (stretch.to - stretch.from) / 1_000
  return {
    failuresPerSecond: (failed.length * (to - from)) / size / seconds,
    waitP95Ms: percentiles(waits.map(({ waitedMs }) => waitedMs)).p95,
  }
}
