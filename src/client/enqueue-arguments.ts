import { JobqError } from '../errors.ts'
import type { JobOptions } from '../job-options.ts'
import type { JobItem } from '../new-job.ts'
import { quote } from '../quote.ts'
import { isTaskDefinition, type RunTask, type TaskDefinition } from '../task.ts'

/** The payloads of tasks by their names; a definition stands for what it takes. */
export type TaskPayloads = object

/** What a task of a map takes as its payload. */
export type PayloadOf<T> = T extends TaskDefinition<infer Input, infer _Payload, infer _Result> ? Input : T

/** What follows a task: its payload, which may be left out where it may be undefined, and options. */
export type PayloadAndOptions<Payload> = undefined extends Payload
  ? [payload?: Payload, options?: JobOptions]
  : [payload: Payload, options?: JobOptions]

/** A definition, whatever its payload. */
export type AnyTask = Pick<TaskDefinition, 'name' | 'input'> & { readonly run: RunTask<never, unknown> }

/** A job of a task that is named by its definition, as one element of a bulk. */
export interface DefinedItem extends JobOptions {
  readonly task: AnyTask
  readonly payload?: unknown
}

/** An element of a bulk with the name of its task, and what the definition says. */
export const withTaskName = (item: JobItem | DefinedItem): JobItem => {
  if (!isDefined(item)) return item
  const { task, payload, ...options } = item
  return toItem(task, [payload, options])
}

/** True of an element of a bulk that names its task by a definition. */
export const isDefined = (item: JobItem | DefinedItem): item is DefinedItem =>
  typeof item === 'object' && item !== null && 'task' in item && isTaskDefinition(item.task)

/** Puts the arguments of `enqueue` together to one item. */
export const toItem = (target: unknown, rest: readonly unknown[]): JobItem => {
  if (Array.isArray(target)) return { ...optionsOf(rest[0]), argv: target }
  const [payload, said] = rest
  const options = optionsOf(said)
  if (typeof target === 'string') return { ...options, task: target, payload }
  if (isTaskDefinition(target))
    return { ...uniqueOf(target, payload), ...codingOf(target), ...options, task: nameOf(target), payload }
  throw new JobqError('usage', `${quote(target)} is neither a task nor a command: a name, a definition or an argv`)
}

const optionsOf = (options: unknown): JobOptions => {
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new JobqError('usage', `${quote(options)} is no object of options`)
  }
  const clash = ['task', 'payload', 'argv', 'shell'].find((key) => Object.hasOwn(options, key))
  if (clash !== undefined) throw new JobqError('usage', `${quote(clash)} is no option of a job`)
  return options
}

const nameOf = (task: TaskDefinition): string => {
  if (task.name !== undefined) return task.name
  throw new JobqError('usage', "the definition has no name: give it one, or the name that its file's path gives it")
}

/** How the definition wants payloads written. */
const codingOf = ({ serializer, compress, sign }: TaskDefinition): JobOptions => ({
  ...(serializer === undefined ? {} : { serializer }),
  ...(compress === undefined ? {} : { compress }),
  ...(sign === undefined ? {} : { sign }),
})

/** A definition's key holds among the jobs of its own task. */
const uniqueOf = (task: TaskDefinition, payload: unknown): JobOptions =>
  task.unique === undefined ? {} : { unique: `${nameOf(task)}:${task.unique(payload)}` }
