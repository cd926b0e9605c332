// A step that dumps what every child does when jobs run and none has ended for a while: children that wait for each
// other, for a lock or for a server that does not answer look alike from outside, and the dump says which jobs they are.
//
//   jobq run --deadlock-after 300
import { defineStep } from 'jobq'

export const deadlockDetector = defineStep({
  name: 'deadlock-detector',
  requires: ['pool', 'presence'],
  options: {
    after: {
      flags: '--deadlock-after <seconds>',
      description: 'dump when jobs run and none has ended for so long',
      default: 60,
    },
  },

  start({ pool, presence }, { after }) {
    const seen = { endedAt: performance.now(), dumps: 0, dumped: false }
    const look = (): void => {
      if (pool.busy === 0) {
        seen.endedAt = performance.now()
        seen.dumped = false
      }
      const quietMs = performance.now() - seen.endedAt
      if (seen.dumped || quietMs < after * 1_000) return
      seen.dumped = true
      seen.dumps += 1
      const children = pool.status().map(({ pid, state, job, task, sinceMs }) => ({ pid, state, job, task, sinceMs }))
      const dump = { worker: presence.name, quietMs: Math.round(quietMs), children }
      process.stderr.write(`deadlock-detector: nothing has ended for ${after} s: ${JSON.stringify(dump)}\n`)
    }
    return { seen, timer: setInterval(look, Math.min(1_000, after * 250)) }
  },

  onJobEnd(_job, { seen }) {
    seen.endedAt = performance.now()
    seen.dumped = false
  },

  stop: ({ timer }) => clearInterval(timer),

  info: ({ seen }) => ({ dumps: seen.dumps, quietMs: Math.round(performance.now() - seen.endedAt) }),
})
