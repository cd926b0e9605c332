import { Codecs } from '../envelope/codecs.ts'
import type { CustomCompressor } from '../envelope/compressors/compressors.ts'
import type { CustomSerializer } from '../envelope/serializers/serializers.ts'
import { JobqError } from '../errors.ts'
import type { Coding } from '../sealing.ts'
import { importUserFile } from '../user-file.ts'
import type { CodecPlan } from './codec-plan.ts'
import type { LoadedTasks } from './load-tasks.ts'
import type { TaskProblem, TaskSummary } from './task-summary.ts'

interface UserConfig {
  readonly serializers?: Readonly<Record<string, CustomSerializer>>
  readonly compressors?: Readonly<Record<string, CustomCompressor>>
}

/**
 * The codecs of a child. Those of the user's own are functions, which cannot be sent to it: it imports their file.
 * @throws JobqError `usage`, and what the file throws
 */
export const loadCodecs = async ({ configFile, accept }: CodecPlan): Promise<Codecs> => {
  const { default: found } = configFile === null ? {} : await importUserFile(configFile)
  const { serializers, compressors } = (found ?? {}) as UserConfig
  return new Codecs({
    ...(serializers === undefined ? {} : { serializers }),
    ...(compressors === undefined ? {} : { compressors }),
    ...(accept === null ? {} : { accept }),
  })
}

/** How results of a task are written: by its options in the configuration, its definition, the defaults. */
export const resultCoding = ({ defaults, tasks }: CodecPlan, name: string, task: TaskSummary | undefined): Coding => {
  const own = Object.hasOwn(tasks, name) ? tasks[name] : undefined
  const serializer = own?.serializer ?? task?.serializer ?? defaults.serializer
  const compress = own?.compress ?? task?.compress ?? defaults.compress
  return { ...(serializer === undefined ? {} : { serializer }), ...(compress === undefined ? {} : { compress }) }
}

/** Without the tasks whose definitions name codecs that there are not: those are problems. */
export const withKnownCodecs = ({ tasks, problems }: LoadedTasks, codecs: Codecs): LoadedTasks => {
  const known = new Map(tasks)
  const unknown: TaskProblem[] = []
  for (const [name, { summary }] of tasks) {
    const { serializer, compress, file } = summary
    try {
      codecs.check({ ...(serializer && { serializer }), ...(compress && { compress }) })
    } catch (error) {
      if (!(error instanceof JobqError)) throw error
      known.delete(name)
      unknown.push({ file, line: null, message: error.message })
    }
  }
  return { tasks: known, problems: [...problems, ...unknown] }
}
