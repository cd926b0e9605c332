import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ChildLimits, lastsMs, type Wear } from '../../src/pool/wear.ts'

const fresh: Wear = { busyMs: 0, jobs: 0, baseBytes: 50, bytes: 50 }
const never: ChildLimits = { maxJobs: null, maxBytes: null }
const endless = Number.POSITIVE_INFINITY

const table: readonly (readonly [name: string, wear: Partial<Wear>, limits: Partial<ChildLimits>, ms: number])[] = [
  ['a child without limits lasts for ever', { busyMs: 1_000, jobs: 1_000, bytes: 1_000 }, {}, endless],
  ['one that has done nothing yet is not known to wear', {}, { maxJobs: 10, maxBytes: 100 }, endless],
  ['one that may run a single job is as good as worn', {}, { maxJobs: 1 }, 0],
  ['jobs go on at the pace that they had', { busyMs: 400, jobs: 4 }, { maxJobs: 10 }, 600],
  ['the last job is as good as over', { busyMs: 900, jobs: 9 }, { maxJobs: 10 }, 0],
  ['one that has run them all is worn', { busyMs: 900, jobs: 10 }, { maxJobs: 10 }, 0],
  ['memory grows at the pace that it had', { busyMs: 100, bytes: 100 }, { maxBytes: 150 }, 100],
  ['memory says nothing while little of it is used', { busyMs: 100, bytes: 74 }, { maxBytes: 150 }, endless],
  ['memory that does not grow lasts', { busyMs: 100 }, { maxBytes: 150 }, endless],
  ['memory above the limit is over', { busyMs: 100, bytes: 200 }, { maxBytes: 150 }, 0],
  ['a limit below what a child needs for itself is over from the beginning', {}, { maxBytes: 40 }, 0],
  ['of two limits the nearer counts: jobs', { busyMs: 400, jobs: 4, bytes: 100 }, { maxJobs: 5, maxBytes: 150 }, 0],
  [
    'of two limits the nearer counts: memory',
    { busyMs: 400, jobs: 4, bytes: 100 },
    { maxJobs: 50, maxBytes: 150 },
    400,
  ],
]

describe('how much longer a child lasts', () => {
  for (const [name, wear, limits, ms] of table) {
    it(name, () => assert.equal(lastsMs({ ...fresh, ...wear }, { ...never, ...limits }), ms))
  }
})
