/**
 * Makes steps of the boot from what users define: hands them the values of their options and views of the built-in
 * components, has them hear of jobs, passes on what they share with tasks, and does not let a start, drain or stop that
 * never ends keep the worker from stopping.
 */
import { once } from 'node:events'
import type { AnyStep } from '../boot/step.ts'
import { JobqError } from '../errors.ts'
import { encodeJson } from '../json.ts'
import { type StepOption, type StepOptionValues, takesValue, type UserStep, withRequired } from './define-step.ts'
import type { JobHooks } from './job-hooks.ts'

/** What user steps are put into. */
export interface OwnStepsIn {
  readonly values: StepOptionValues
  /** What a user's step sees of the component of a built-in step. */
  readonly view: (component: string, value: unknown) => unknown
  /** Null where no step wants to hear of jobs. */
  readonly hooks: JobHooks | null
  /** Throws for what cannot stand in the place of a built-in component. */
  readonly check: (step: string, component: string, value: unknown) => void
  /** Takes what a step shares with tasks: JSON-able, checked. */
  readonly share: (component: string, value: unknown) => void
  /** Aborted when the worker is to stop. */
  readonly stopping: AbortSignal
  /** Aborted when the stop is to wait for nothing. */
  readonly cut: AbortSignal
  readonly graceMs: () => number
}

/** How long a step's `stop` may take, in milliseconds; a drain that is cut short likewise. */
const stopMs = 5_000

/** The value of an option that was not given. */
export const defaultOf = (option: StepOption): unknown => (takesValue(option) ? option.default : false)

/** The user's steps as the boot knows them. */
export const ownSteps = (steps: readonly UserStep[], into: OwnStepsIn): AnyStep[] => {
  const all = withRequired(steps)
  const own = new Set(all.map(({ provides }) => provides))
  return all.map((step) => adapt(step, own, into))
}

const adapt = (step: UserStep, own: ReadonlySet<string>, into: OwnStepsIn): AnyStep => {
  const { name, provides } = step
  const given = into.values[name] ?? {}
  const options = Object.fromEntries(
    Object.entries(step.options).map(([key, option]) => [key, given[key] ?? defaultOf(option)]),
  )
  const hears = step.onJobStart !== undefined || step.onJobEnd !== undefined
  let deaf = (): void => {}
  return {
    name,
    provides,
    requires: step.requires.map((required) => (typeof required === 'string' ? required : required.provides)),
    before: [...step.before, ...(hears ? ['dispatcher'] : []), ...(step.share ? ['pool'] : [])],
    includeIf: () => step.includeIf?.(options) ?? true,
    async start(components) {
      const dependencies = Object.fromEntries(
        Object.entries(components).map(([key, value]) => [key, own.has(key) ? value : into.view(key, value)]),
      )
      const component = await startOf(step, () => step.start(dependencies, options), into.stopping)
      try {
        into.check(name, provides, component)
        if (step.share) into.share(provides, shareOf(step, component))
      } catch (error) {
        await step.stop?.(component)
        throw error
      }
      if (hears && into.hooks !== null) {
        deaf = into.hooks.add({
          step: name,
          onJobStart: (job) => step.onJobStart?.(job, component),
          onJobEnd: (job) => step.onJobEnd?.(job, component),
        })
      }
      return component
    },
    drain: (component) =>
      within(step.drain?.(component), { ms: Math.max(stopMs, into.graceMs()), what: 'drained', cut: into.cut }),
    stop: (component) => {
      deaf()
      return within(step.stop?.(component), { ms: stopMs, what: 'stopped', cut: null })
    },
    info: (component) => step.info?.(component),
  }
}

const startOf = async (step: UserStep, start: () => unknown, stopping: AbortSignal): Promise<unknown> => {
  if (stopping.aborted) throw new JobqError('conflict', `step '${step.name}' has not started: the worker is to stop`)
  const over = new AbortController()
  const starting = (async () => start())()
  try {
    const stopped = once(stopping, 'abort', { signal: over.signal }).then(() => {
      throw new JobqError('conflict', 'the worker is to stop')
    })
    return await Promise.race([starting, stopped])
  } catch (error) {
    // What comes too late is let go of at once.
    starting.then((component) => step.stop?.(component)).catch(() => undefined)
    const message = `step '${step.name}' has not started: ${error instanceof Error ? error.message : String(error)}`
    if (error instanceof JobqError) throw new JobqError(error.code, message, { cause: error })
    throw new Error(message, { cause: error })
  } finally {
    over.abort()
  }
}

const shareOf = (step: UserStep, component: unknown): unknown => {
  try {
    return JSON.parse(encodeJson(step.share?.(component) ?? null))
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new JobqError('usage', `step '${step.name}' shares what JSON cannot hold: ${problem}`, { cause: error })
  }
}

interface Patience {
  readonly ms: number
  readonly what: string
  /** Cuts what is waited for down to the time of a stop. */
  readonly cut: AbortSignal | null
}

const within = async (work: unknown, { ms, what, cut }: Patience): Promise<void> => {
  const late = Promise.withResolvers<never>()
  const give = (waitedMs: number) => () => late.reject(new Error(`it has not ${what} within ${waitedMs / 1_000} s`))
  const timers = [setTimeout(give(ms), ms)]
  const shorten = (): void => void timers.push(setTimeout(give(stopMs), stopMs))
  if (cut?.aborted) shorten()
  else cut?.addEventListener('abort', shorten, { once: true })
  try {
    await Promise.race([work, late.promise])
  } finally {
    for (const timer of timers) clearTimeout(timer)
    cut?.removeEventListener('abort', shorten)
  }
}
