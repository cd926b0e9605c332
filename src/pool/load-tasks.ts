/**
 * Loads tasks into this process: imports each module that may be one, reads its options, and reports what
 * does not load with the place of the mistake. Done in a pool child only, so a worker runs no code of a task.
 */
import { fileURLToPath } from 'node:url'
import { JobqError } from '../errors.ts'
import { commandTask } from '../job.ts'
import { checkName } from '../name.ts'
import { isTaskDefinition, type PayloadSchema, type RunTask } from '../task.ts'
import { importedFiles, importUserFile } from '../user-file.ts'
import { discoverTasks, type TaskFile } from './discover-tasks.ts'
import { toJobError } from './job-error.ts'
import { syntaxErrorLine } from './syntax-error-line.ts'
import type { TaskLife } from './task-life.ts'
import { readTaskSettings } from './task-settings.ts'
import type { TaskProblem, TaskSummary } from './task-summary.ts'

/** A task that can be run; an executable has no function. */
export interface LoadedTask {
  readonly summary: TaskSummary
  readonly input: PayloadSchema | null
  readonly run: RunTask<unknown, unknown> | null
  /** Its setup and teardown in this process; null where it has neither. */
  readonly life: TaskLife | null
}

/** What was found, by name, and what is wrong. */
export interface LoadedTasks {
  readonly tasks: ReadonlyMap<string, LoadedTask>
  readonly problems: readonly TaskProblem[]
}

interface UserModule {
  readonly default?: unknown
  readonly options?: unknown
}

const importTimeoutMs = 60_000

/** Loads everything under `paths`. Two files for one name are a problem, and neither is kept. */
export const loadTasks = async (paths: readonly string[]): Promise<LoadedTasks> => {
  const { files, problems } = discoverTasks(paths)
  const found: LoadedTask[] = []
  for (const file of files) {
    try {
      const task = file.kind === 'executable' ? executable(file) : await moduleTask(file)
      if (task) found.push(task)
    } catch (error) {
      problems.push(problemOf(file.file, error))
    }
  }
  const tasks = new Map<string, LoadedTask>()
  for (const [name, group] of Object.entries(Object.groupBy(found, ({ summary }) => summary.name))) {
    const [only, ...others] = group ?? []
    if (name === commandTask) for (const each of group ?? []) problems.push(reserved(each))
    else if (only && others.length === 0) tasks.set(name, only)
    else for (const each of group ?? []) problems.push(doubled(each, group ?? []))
  }
  return { tasks, problems }
}

const executable = ({ name, file, kind }: TaskFile): LoadedTask => ({
  summary: { name: checkName('task', name), file, kind, validated: false },
  input: null,
  run: null,
  life: null,
})

const moduleTask = async ({ name, file, kind }: TaskFile): Promise<LoadedTask | null> => {
  const module = await importInTime(file)
  const exported = defaultExport(module)
  const run = isTaskDefinition(exported) ? exported.run : exported
  if (typeof run !== 'function') {
    if (isTaskDefinition(exported)) throw new JobqError('usage', 'the task has no function `run`')
    if (typeof exported === 'object' && exported !== null && typeof Reflect.get(exported, 'run') === 'function') {
      throw new JobqError(
        'usage',
        'its default export has a function `run` and is no task: write `export default defineTask({ … })`',
      )
    }
    return null
  }
  const options = isTaskDefinition(exported) ? exported : (module.options ?? {})
  if (typeof options !== 'object' || options === null) throw new JobqError('usage', '`options` is not an object')
  const settings = readTaskSettings(options)
  return {
    summary: {
      name: settings.name ?? checkName('task', name),
      file,
      kind,
      validated: settings.input !== null,
      ...settings.options,
    },
    input: settings.input,
    life: settings.life,
    run: (payload, job) => Reflect.apply(run, isTaskDefinition(exported) ? exported : undefined, [payload, job]),
  }
}

// CommonJS that was compiled from a module has its default export one step deeper.
const defaultExport = (module: UserModule): unknown => {
  const exported = module.default
  const nested = typeof exported === 'object' && exported !== null && Reflect.get(exported, '__esModule') === true
  return nested ? Reflect.get(exported, 'default') : exported
}

const importInTime = async (file: string): Promise<UserModule> => {
  const late = Promise.withResolvers<never>()
  const message = `it has not loaded within ${importTimeoutMs / 1_000} s; does it await something that never comes?`
  const timer = setTimeout(() => late.reject(new JobqError('usage', message)), importTimeoutMs)
  try {
    return await Promise.race([importUserFile(file), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

const problemOf = (file: string, error: unknown): TaskProblem => {
  const { message, stack } = toJobError(error)
  if (!(error instanceof JobqError)) return { file, line: lineIn(file, stack ?? ''), message }
  // Errors of syntax begin with their place.
  const [, place = '', line, rest = message] = /^(.+?)(?::(\d+))?: (.*)$/s.exec(message) ?? []
  if (pathOf(place) !== file) return { file, line: null, message }
  if (line !== undefined) return { file, line: Number(line), message: rest }
  // Without a line, Node has not said which file it was either.
  const own = syntaxErrorLine(file, rest)
  if (own !== null) return { file, line: own, message: rest }
  for (const other of importedFiles()) {
    const itsLine = other === file ? null : syntaxErrorLine(other, rest)
    if (itsLine !== null) return { file, line: null, message: `${other}:${itsLine}: ${rest}` }
  }
  return { file, line: null, message: rest }
}

const lineIn = (file: string, stack: string): number | null => {
  for (const [, place, line] of stack.matchAll(/\(?((?:file:|\/|[A-Za-z]:\\)[^\n()]*?):(\d+):\d+\)?$/gm)) {
    if (place !== undefined && pathOf(place) === file) return Number(line)
  }
  return null
}

const pathOf = (place: string): string => {
  try {
    return place.startsWith('file:') ? fileURLToPath(place.replace(/[?#].*$/, '')) : place
  } catch {
    return place
  }
}

const reserved = ({ summary }: LoadedTask): TaskProblem => ({
  file: summary.file,
  line: null,
  message: `'${commandTask}' is the name of commands; rename the file or give its task a \`name\``,
})

const doubled = (task: LoadedTask, group: readonly LoadedTask[]): TaskProblem => {
  const others = group.filter((each) => each !== task).map(({ summary }) => summary.file)
  return {
    file: task.summary.file,
    line: null,
    message: `'${task.summary.name}' is also the name of ${others.join(', ')}`,
  }
}
