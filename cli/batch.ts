/** Reading `jobq enqueue --batch`: a job a line, in the words of the options. */
import { JobqError } from '../src/errors.ts'
import { decodeJson } from '../src/json.ts'
import { nearest } from '../src/nearest.ts'
import { quote } from '../src/quote.ts'
import { type EnqueueItem, enqueueItem, shellArgv, type Target, wholeEnvironment } from './enqueue-item.ts'
import { type JobOption, type JobOptionValues, jobOptions } from './enqueue-options.ts'
import { named } from './values.ts'

type Line = Readonly<Record<string, unknown>>

const options = Object.entries<JobOption<unknown>>(jobOptions).map(([name, option]) => ({
  name,
  key: option.key ?? name,
  option,
}))
const known = ['task', 'payload', 'argv', 'shell', 'envAll', ...options.map(({ key }) => key)]

/**
 * The jobs of a batch, in the order of their lines; empty lines count but say nothing. `defaults` holds for lines that do
 * not say it themselves.
 * @throws JobqError `usage` naming the number of the first line that is wrong
 */
export const readBatch = (text: string, defaults: JobOptionValues): EnqueueItem[] =>
  text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [named(`line ${index + 1}`, () => readLine(line, defaults))]))

const readLine = (text: string, defaults: JobOptionValues): EnqueueItem => {
  const value = decodeJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new JobqError('usage', 'it is not a JSON object')
  }
  const line: Line = { ...value }
  const unknown = Object.keys(line).find((key) => !known.includes(key))
  if (unknown !== undefined) {
    const meant = nearest(unknown, known)
    throw new JobqError(
      'usage',
      `${quote(unknown)} is no option of a job${meant === null ? '' : `; did you mean ${meant}?`}`,
    )
  }
  const target = targetOf(line)
  const values = { ...defaultsFor(target, line, defaults), ...valuesOf(line) }
  const env = wantsEnvironment(line) ? [...wholeEnvironment(), ...(values.env ?? [])] : values.env
  return enqueueItem(target, env === undefined ? values : { ...values, env }, (option) => option)
}

const valuesOf = (line: Line): JobOptionValues =>
  Object.fromEntries(
    options
      .filter(({ key }) => line[key] !== undefined)
      .map(({ name, key, option }) => [name, named(key, () => option.read(line[key]))]),
  )

/** Of the defaults, those that a line may fall back to: what only commands have is not for tasks, and a time of its own replaces either. */
const defaultsFor = (target: Target, line: Line, defaults: JobOptionValues): JobOptionValues => {
  const { cwd, env, stdin, delay, at, ...others } = defaults
  const command = {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env && { env }),
    ...(stdin === undefined ? {} : { stdin }),
  }
  const timed = line.delay === undefined && line.at === undefined
  return {
    ...others,
    ...('argv' in target ? command : {}),
    ...(timed && delay !== undefined ? { delay } : {}),
    ...(timed && at !== undefined ? { at } : {}),
  }
}

const targetOf = (line: Line): Target => {
  const { task, argv, shell, payload } = line
  if ([task, argv, shell].filter((each) => each !== undefined).length !== 1) {
    throw new JobqError('usage', 'it needs one of task, argv and shell')
  }
  if (typeof task === 'string') return { task, payload }
  if (payload !== undefined) throw new JobqError('usage', 'payload: only for a task')
  if (typeof shell === 'string') return { argv: shellArgv(shell) }
  if (Array.isArray(argv) && argv.every((word) => typeof word === 'string')) return { argv }
  throw new JobqError('usage', argv === undefined ? 'task and shell are texts' : 'argv is a list of texts')
}

const wantsEnvironment = ({ envAll = false }: Line): boolean => {
  if (typeof envAll !== 'boolean') throw new JobqError('usage', `envAll: ${quote(envAll)} is not true or false`)
  return envAll
}
