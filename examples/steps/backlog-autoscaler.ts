// An autoscaler in place of the built-in one: a child for every so many jobs that wait, with a component of its own that
// remembers how the backlog went, so that one quiet look does not shrink the pool. Where a rule is enough, the
// configuration's `autoscaler` is shorter; a step can have components, options and a life of its own.
//
//   jobq run -c 1 --jobs-per-child 20 --most-children 8
import { type Broker, defineStep, systemClock } from 'jobq'

/** The largest of the last few backlogs. */
class Backlog {
  readonly #broker: Broker
  #recent: number[] = []

  constructor(broker: Broker) {
    this.#broker = broker
  }

  async look(): Promise<number> {
    const waiting = await this.#broker.jobs.countDue(null, 10_000, systemClock.now())
    this.#recent = [...this.#recent.slice(-4), waiting]
    return Math.max(...this.#recent)
  }
}

const backlog = defineStep({
  name: 'backlog',
  requires: ['broker'],
  start: ({ broker }) => new Backlog(broker),
})

export const backlogAutoscaler = defineStep({
  name: 'autoscaler', // the built-in step of this name gives way
  requires: ['broker', 'pool', 'presence', backlog],
  options: {
    jobsPerChild: { flags: '--jobs-per-child <n>', description: 'a child for so many waiting jobs', default: 20 },
    most: { flags: '--most-children <n>', description: 'never more children than this', default: 4 },
    every: { flags: '--look-every <seconds>', description: 'how often the backlog is looked at', default: 1 },
  },

  start({ broker, pool, presence, backlog }, { jobsPerChild, most, every }) {
    const least = pool.size
    const look = async (): Promise<void> => {
      const from = pool.size
      const waiting = await backlog.look()
      const to = Math.max(least, Math.min(most, Math.ceil(waiting / jobsPerChild)))
      if (to === from) return
      pool.resize(to)
      const type = to > from ? 'pool.grown' : 'pool.shrunk'
      await broker.events.append([
        { type, at: Date.now(), worker: presence.name, data: { from, to, reason: 'backlog', waiting } },
      ])
    }
    let looking = Promise.resolve()
    const timer = setInterval(() => {
      // A broker that is away for a moment is no reason to end; the next look sees.
      looking = looking.then(look).catch(() => undefined)
    }, every * 1_000)
    return { timer, idle: () => looking, size: () => pool.size }
  },

  async drain({ timer, idle }) {
    clearInterval(timer)
    await idle()
  },

  info: ({ size }) => ({ size: size() }),
})
