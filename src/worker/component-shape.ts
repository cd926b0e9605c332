import { JobqError } from '../errors.ts'
import type { WorkerComponents } from './components.ts'

type Shape = { readonly [Name in keyof WorkerComponents]?: readonly (keyof WorkerComponents[Name])[] }

/** What the other built-in steps use of a component; nothing of those that are not here. */
const shape: Shape = {
  broker: [
    ...([
      'url',
      'jobs',
      'events',
      'workers',
      'tasks',
      'cursors',
      'enqueue',
      'settle',
      'claim',
      'extend',
      'cancel',
    ] as const),
    ...(['requeue', 'release', 'setPaused', 'wait', 'close'] as const),
  ],
  tasks: ['update', 'names', 'problems', 'policyFor'],
  execution: ['add', 'handOut', 'takeReports', 'giveBack', 'started', 'finished', 'returned', 'exited', 'leases'],
  presence: ['session', 'show', 'beat'],
  pool: ['children', 'size', 'start', 'resize', 'prepare', 'stop', 'kill', 'status'],
  leases: ['catchUp', 'checkSoon', 'check'],
  dispatcher: ['wake', 'hold', 'held', 'away'],
  metrics: ['contentType', 'text'],
  sources: ['record', 'include', 'begin', 'imported', 'changes'],
  reloader: ['onEnd'],
}

/**
 * Checks what a step of the user gives in the place of a built-in one.
 * @throws JobqError `usage` naming what others will miss
 */
export const checkShape = (step: string, component: string, value: unknown): void => {
  const needed: readonly string[] = Object.entries(shape).find(([name]) => name === component)?.[1] ?? []
  const missing = needed.filter(
    (key) => typeof value !== 'object' || value === null || Reflect.get(value, key) === undefined,
  )
  if (missing.length === 0) return
  throw new JobqError(
    'usage',
    `step '${step}' provides '${component}' without what other steps use of it: ${missing.join(', ')}`,
  )
}
