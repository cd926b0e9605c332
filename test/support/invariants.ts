/**
 * The independent checker: what must hold after any faults, read from the evidence alone. It knows the promises
 * and none of jobq's code. Each check is a list of violations in words, numbered as in the list of promises:
 *
 * 1 every acknowledged enqueue has its job, a batch is there wholly or not at all; 2 nothing that nobody asked for;
 * 3 one end per job; 4 an end has its reason; 5 each claim starts once and attempts rise by one; 6 stale reports change
 * nothing; 7 effects repeat only for interruptions; 8 claims follow one another; 9 nothing before its time or after its
 * cancel; 10 the log gives the jobs, the file is sound; 11 the queue drains.
 */
import assert from 'node:assert/strict'
import {
  type Effect,
  type Evidence,
  type EvidenceFiles,
  type LoggedEvent,
  readEvidence,
  type StoredJob,
} from './evidence.ts'
import { replay } from './replay.ts'

/** Instants come from two processes and are rounded: they may differ by this, in milliseconds. */
const roundingMs = 2

/** What a run allows beside the promises. */
export interface Allowances {
  /** Jobs may still be waiting or running. */
  readonly unfinished?: boolean
}

/** Asserts that nothing is violated. */
export const assertInvariants = (files: EvidenceFiles, allowances: Allowances = {}): void => {
  const evidence = readEvidence(files)
  const found = violations(evidence, allowances)
  const shown = found.slice(0, 20)
  const named = new Set(shown.flatMap((line) => line.match(/job (\d+)/)?.[1] ?? []).map(Number))
  const history = evidence.events.filter(({ job }) => job !== null && named.has(job))
  assert.deepEqual(
    shown,
    [],
    [`${found.length} violations`, ...history.map((event) => JSON.stringify(event))].join('\n'),
  )
}

/** What the evidence violates; each line begins with the number of the promise. */
export const violations = (evidence: Evidence, allowances: Allowances = {}): string[] => {
  const { jobs } = evidence
  const eventsOf = grouped(evidence.events, (event) => event.job)
  const effectsOf = grouped(evidence.effects, (effect) => effect.job)
  const found = [...production(evidence, eventsOf), ...surroundings(evidence), ...dependencies(evidence, eventsOf)]
  for (const effect of evidence.effects) {
    const job = jobs.get(effect.job)
    if (job === undefined) found.push(`2: job ${effect.job} did something and is not there`)
    else if (job.key !== effect.key) found.push(`2: job ${job.id} was asked for as ${job.key} and ran as ${effect.key}`)
  }
  for (const id of eventsOf.keys()) {
    if (id !== null && !jobs.has(id)) found.push(`10: job ${id} has events and is not there`)
  }
  for (const job of jobs.values()) {
    const events = eventsOf.get(job.id) ?? []
    const effects = effectsOf.get(job.id) ?? []
    found.push(...replay(job, events), ...ending(job, events, effects), ...repetition(job, events, effects))
    found.push(...leases(job, events, effects), ...early(job, events, effects))
    const over = ['succeeded', 'failed', 'cancelled'].includes(job.state)
    if (!over && allowances.unfinished !== true) found.push(`11: job ${job.id} is still ${job.state}`)
  }
  return found
}

const production = ({ jobs, batches }: Evidence, eventsOf: Grouped<LoggedEvent>): string[] => {
  const found: string[] = []
  const byKey = grouped(jobs.values(), (job) => job.key)
  const asked = new Set<string>()
  for (const [name, { keys, ids }] of batches) {
    for (const key of keys) asked.add(key)
    const there = keys.filter((key) => byKey.has(key)).length
    if (there !== 0 && there !== keys.length) found.push(`1: batch ${name} has ${there} of its ${keys.length} jobs`)
    for (const [index, id] of (ids ?? []).entries()) {
      const job = jobs.get(id)
      if (job === undefined) found.push(`1: job ${id} was acknowledged and is not there`)
      else if (job.key !== keys[index]) found.push(`1: job ${id} was acknowledged for ${keys[index]} and is ${job.key}`)
    }
  }
  for (const [key, same] of byKey) {
    if (key === null) continue
    if (!asked.has(key)) found.push(`2: job ${same[0]?.id} (${key}) was never asked for`)
    if (same.length > 1) found.push(`2: ${key} was asked for once and is there as jobs ${same.map(({ id }) => id)}`)
  }
  for (const { id } of jobs.values()) {
    const queued = (eventsOf.get(id) ?? []).filter(({ type }) => type === 'job.queued').length
    if (queued !== 1) found.push(`1: job ${id} has ${queued} events job.queued`)
  }
  return found
}

/** Why a job that ended may have ended so. */
const ending = (job: StoredJob, events: readonly LoggedEvent[], effects: readonly Effect[]): string[] => {
  if (job.state === 'succeeded' && job.key !== null) {
    const done = effects.some(
      ({ phase, attempt, token }) => phase === 'end' && attempt === job.attempt && token === job.token,
    )
    return done
      ? []
      : [`4: job ${job.id} succeeded without having done its work in attempt ${job.attempt} under its lease`]
  }
  if (job.state !== 'failed') return []
  const budget = events.slice(
    events.findLastIndex(({ type }) => type === 'job.requeued' || type === 'job.replaced') + 1,
  )
  const last = budget.findLast(({ type }) => type === 'job.failed' || type === 'job.rejected')
  if (last?.type === 'job.rejected') return []
  if (job.errorType === 'PoisonJob') {
    const crashes = crashesIn(budget)
    return crashes >= job.maxCrashes
      ? []
      : [`4: job ${job.id} was given up after ${crashes} crashes of ${job.maxCrashes}`]
  }
  const declared = effects.some(({ phase, attempt }) => phase === 'final' && attempt === job.attempt)
  if (declared || job.attempt >= job.maxAttempts) return []
  return [`4: job ${job.id} failed (${job.errorType}) in attempt ${job.attempt} of ${job.maxAttempts}`]
}

/** Interruptions that count against a job, the one that ended it included. */
const crashesIn = (events: readonly LoggedEvent[]): number => {
  let crashes = 0
  let running = false
  for (const { type, data } of events) {
    const blamed = data.reason === 'its worker went away' || isCrash(data.error)
    if (type === 'job.recovered' && blamed) crashes += 1
    if (type === 'job.failed' && running) crashes += 1
    if (type !== 'job.progress' && type !== 'job.stale') running = type === 'job.started'
  }
  return crashes
}

const isCrash = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'type' in error && error.type === 'Crashed'

const count = (events: readonly LoggedEvent[], ...types: string[]): number =>
  events.filter(({ type }) => types.includes(type)).length

const repetition = (job: StoredJob, events: readonly LoggedEvent[], effects: readonly Effect[]): string[] => {
  const found: string[] = []
  const begins = effects.filter(({ phase }) => phase === 'begin')
  const claims = new Set(begins.map(({ attempt, token }) => `${attempt} under lease ${token}`))
  if (claims.size !== begins.length) found.push(`5: job ${job.id} began twice in one claim`)
  // A cancelled job may have been in the hands of a worker that died before it told of the start.
  const untold =
    events.filter(({ type, data }) => type === 'job.recovered' && data.started !== true).length +
    events.filter(({ type, data }) => type === 'job.cancelled' && data.interrupted === true).length
  const unfinished = ['queued', 'running'].includes(job.state) ? 1 : 0
  const starts = count(events, 'job.started')
  if (begins.length > starts + untold + unfinished)
    found.push(
      `5: job ${job.id} began ${begins.length} times, ${starts} starts and ${untold} unclear ends are recorded`,
    )
  const runs = 1 + count(events, 'job.retried', 'job.snoozed', 'job.requeued')
  const interruptions = count(events, 'job.recovered')
  if (begins.length > runs + interruptions)
    found.push(`7: job ${job.id} began ${begins.length} times for ${runs} runs and ${interruptions} interruptions`)
  return found
}

const leases = (job: StoredJob, events: readonly LoggedEvent[], effects: readonly Effect[]): string[] => {
  const found: string[] = []
  let last = 0
  for (const { phase, token } of effects) {
    if (phase !== 'begin') continue
    if (token <= last) found.push(`8: job ${job.id} began under lease ${token} after lease ${last}`)
    last = token
  }
  const ended = job.state === 'succeeded' || job.state === 'failed'
  for (const { type, data } of events) {
    if (type === 'job.stale' && ended && data.token === job.token)
      found.push(`6: job ${job.id} has a stale report under the lease that ended it`)
  }
  return found
}

const early = (job: StoredJob, events: readonly LoggedEvent[], effects: readonly Effect[]): string[] => {
  const dueOf = new Map<number, number>()
  for (const { type, attempt, data } of events) {
    if (typeof data.dueAt !== 'number') continue
    if (type === 'job.queued') dueOf.set(1, data.dueAt)
    if (type === 'job.retried') dueOf.set((attempt ?? 0) + 1, data.dueAt)
  }
  return effects.flatMap(({ phase, attempt, at }) => {
    const early = (dueOf.get(attempt) ?? 0) - (at ?? Number.POSITIVE_INFINITY)
    return phase === 'begin' && early > roundingMs ? [`9: job ${job.id} began ${early} ms before it was due`] : []
  })
}

const dependencies = ({ needs, jobs }: Evidence, eventsOf: Grouped<LoggedEvent>): string[] =>
  needs.flatMap(({ job, needs: need, anyEnd }) => {
    const start = (eventsOf.get(job) ?? []).find(({ type }) => type === 'job.started')
    if (start === undefined || !jobs.has(need)) return []
    const ends = anyEnd === 1 ? ['job.succeeded', 'job.failed', 'job.cancelled', 'job.rejected'] : ['job.succeeded']
    const before = (eventsOf.get(need) ?? []).some(({ type, id }) => ends.includes(type) && id < start.id)
    return before ? [] : [`9: job ${job} started before job ${need}, which it needs, had ended`]
  })

const surroundings = ({ damage, queues, jobs }: Evidence): string[] => {
  const found = damage.map((line) => `10: the file is damaged: ${line}`)
  for (const queue of queues) {
    for (const state of ['blocked', 'queued', 'running', 'succeeded', 'failed', 'cancelled']) {
      const there = [...jobs.values()].filter((job) => job.queue === queue.name && job.state === state).length
      if (queue[state] !== there) found.push(`10: queue ${queue.name} says ${queue[state]} ${state} and has ${there}`)
    }
  }
  return found
}

type Grouped<T> = ReadonlyMap<number | null, readonly T[]>

const grouped = <Key, T>(items: Iterable<T>, key: (item: T) => Key): Map<Key, T[]> => {
  const groups = new Map<Key, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}
