import type { WorkerComponents } from './components.ts'
import type { ResolvedOptions } from './options.ts'
import type { StepDependencies, WorkerPool } from './step-dependencies.ts'

type Views = {
  readonly [Name in keyof StepDependencies]: (component: WorkerComponents[Name]) => StepDependencies[Name]
}

const viewsOf = ({ name }: ResolvedOptions): Views => ({
  broker: (broker) => broker,
  tasks: (tasks) => ({
    get names() {
      return tasks.names
    },
    get problems() {
      return tasks.problems
    },
  }),
  execution: (execution) => ({
    get inHand() {
      return execution.size
    },
    get processed() {
      return execution.processed
    },
  }),
  pool: poolView,
  presence: () => ({ name }),
})

const poolView = (pool: WorkerComponents['pool']): WorkerPool => ({
  get size() {
    return pool.size
  },
  get busy() {
    return pool.children.filter(({ state }) => state === 'busy').length
  },
  status: () => pool.status(),
  resize: (size) => {
    if (!Number.isInteger(size) || size < 1)
      throw new RangeError(`a pool has a whole number of children, at least 1, not ${size}`)
    pool.resize(size)
  },
})

/** What the user's steps see of a built-in component; null of those that are no affair of theirs. */
export const viewOf =
  (options: ResolvedOptions) =>
  (component: string, value: unknown): unknown => {
    const views: Readonly<Record<string, ((value: never) => unknown) | undefined>> = viewsOf(options)
    const view = Object.hasOwn(views, component) ? views[component] : undefined
    return view === undefined ? null : Reflect.apply(view, undefined, [value])
  }
