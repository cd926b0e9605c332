/**
 * What happened, in steps of time: jobs that ended, those that failed, how long a sample of them waited and ran. The graphs
 * are drawn from it. Steps are dropped at the far end, so that it is as small after a week as after an hour.
 */

import type { EventType, JobqEvent } from '../../src/event.ts'
import { percentiles } from '../../src/stats.ts'

/** The length of a step in milliseconds. */
export const stepMs = 5_000
/** So many steps are kept: what the widest screen can show. */
const steps = 240
/** So many durations are kept of a step; they are a sample where more were seen. */
const samples = 64

/** One step of time. */
export interface Step {
  /** Counted since the epoch, in steps. */
  readonly index: number
  readonly ends: number
  readonly failures: number
  /** Jobs that ended, by queue. */
  readonly queues: Readonly<Record<string, number>>
  readonly waitsMs: readonly number[]
  readonly runsMs: readonly number[]
}

/** Steps of time, the oldest first; steps in which nothing happened are not there. */
export type Series = readonly Step[]

/** A job that started, and how long it had been due. */
export interface Wait {
  readonly at: number
  readonly waitedMs: number
}

const endings: ReadonlySet<EventType> = new Set(['job.succeeded', 'job.failed', 'job.rejected', 'job.cancelled'])
const failures: ReadonlySet<EventType> = new Set(['job.failed', 'job.rejected'])

/** True for an event with which a job comes to its end. */
export const isEnd = ({ type }: Pick<JobqEvent, 'type'>): boolean => endings.has(type)

/** The series with these events; each stands for `weight` of its kind, where only some of them were read. */
export const addEvents = (series: Series, events: readonly JobqEvent[], weight = 1): Series => {
  const changed = new Map<number, Open>()
  for (const event of events) {
    if (!isEnd(event)) continue
    const open = openStep(series, changed, event.at)
    open.ends += weight
    if (failures.has(event.type)) open.failures += weight
    const queue = event.queue ?? ''
    open.queues[queue] = (open.queues[queue] ?? 0) + weight
    const { runtimeMs } = event.data
    if (typeof runtimeMs === 'number') keep(open.runsMs, runtimeMs, open.ends)
  }
  return merged(series, changed)
}

/** The series with these waits. */
export const addWaits = (series: Series, waits: readonly Wait[]): Series => {
  const changed = new Map<number, Open>()
  for (const { at, waitedMs } of waits) keep(openStep(series, changed, at).waitsMs, waitedMs, 0)
  return merged(series, changed)
}

/** The values of each step up to an instant, the oldest first: what `value` gives, null for a step without any. */
export const valuesUntil = (
  series: Series,
  at: number,
  value: (step: Step | null) => number | null,
): (number | null)[] => {
  const last = Math.floor(at / stepMs)
  const known = new Map(series.map((step) => [step.index, step]))
  return Array.from({ length: steps }, (_, place) => value(known.get(last - steps + 1 + place) ?? null))
}

/** Figures of the last minute before an instant. */
export interface Recent {
  readonly perSecond: number
  readonly failuresPerSecond: number
  readonly perSecondByQueue: Readonly<Record<string, number>>
  readonly waitMs: ReturnType<typeof percentiles>
  readonly runMs: ReturnType<typeof percentiles>
}

const recentMs = 60_000

/** What the last minute (or as much of it as there is behind `since`) came to. */
export const recent = (series: Series, at: number, since: number): Recent => {
  const begin = Math.max(at - recentMs, since)
  const shown = series.filter(({ index }) => (index + 1) * stepMs > begin && index * stepMs <= at)
  const first = shown[0] === undefined ? begin : Math.min(begin, shown[0].index * stepMs)
  const seconds = Math.max(1, (at - Math.max(first, begin - stepMs)) / 1_000)
  const byQueue: Record<string, number> = {}
  for (const { queues } of shown) {
    for (const [queue, ends] of Object.entries(queues)) byQueue[queue] = (byQueue[queue] ?? 0) + ends / seconds
  }
  const sum = (of: (step: Step) => number): number => shown.reduce((total, step) => total + of(step), 0)
  return {
    perSecond: sum(({ ends }) => ends) / seconds,
    failuresPerSecond: sum(({ failures: failed }) => failed) / seconds,
    perSecondByQueue: byQueue,
    waitMs: percentiles(shown.flatMap(({ waitsMs }) => waitsMs)),
    runMs: percentiles(shown.flatMap(({ runsMs }) => runsMs)),
  }
}

interface Open {
  index: number
  ends: number
  failures: number
  queues: Record<string, number>
  waitsMs: number[]
  runsMs: number[]
}

const openStep = (series: Series, changed: Map<number, Open>, at: number): Open => {
  const index = Math.floor(at / stepMs)
  const open = changed.get(index)
  if (open !== undefined) return open
  const step = series.findLast((candidate) => candidate.index === index)
  const made: Open = {
    index,
    ends: step?.ends ?? 0,
    failures: step?.failures ?? 0,
    queues: { ...step?.queues },
    waitsMs: [...(step?.waitsMs ?? [])],
    runsMs: [...(step?.runsMs ?? [])],
  }
  changed.set(index, made)
  return made
}

const keep = (durations: number[], duration: number, seen: number): void => {
  if (durations.length < samples) durations.push(duration)
  // Later ones take the places of earlier ones in turn.
  else durations[(seen * 7) % samples] = duration
}

const merged = (series: Series, changed: ReadonlyMap<number, Open>): Series => {
  if (changed.size === 0) return series
  const all = [...series.filter(({ index }) => !changed.has(index)), ...changed.values()]
  return all.sort((one, other) => one.index - other.index).slice(-steps)
}
