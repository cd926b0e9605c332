/**
 * `jobq enqueue` as scripts call it: a command or a task with the usual options, on a SQLite file. It reads the
 * parameters by hand, because loading a parser takes longer than the job does to add; every value is still read by the
 * one parser that the full command uses. Whatever else is asked for, and every mistake, is left to the full command.
 */
import fs from 'node:fs'
import path from 'node:path'
import { SqliteProducer } from '../../src/broker/sqlite/producer.ts'
import { systemClock } from '../../src/clock.ts'
import { JobqError } from '../../src/errors.ts'
import type { NewJob } from '../../src/job.ts'
import { decodeJson } from '../../src/json.ts'
import { newJob, withPublishedCoding } from '../../src/new-job.ts'
import { useEmbeddedAddon } from '../binary/embedded-addon.ts'
import { absoluteBroker, defaultBroker } from '../broker-url.ts'
import { findConfig } from '../config-file.ts'
import { type EnqueueItem, enqueueItem, type Target } from '../enqueue-item.ts'
import { type JobOptionValues, jobOptions } from '../enqueue-options.ts'
import { enqueuedJson } from '../enqueued.ts'
import { writeAll } from '../write.ts'

const flags: Readonly<Record<string, keyof typeof jobOptions | 'broker'>> = {
  '-q': 'queue',
  '--queue': 'queue',
  '-p': 'priority',
  '--priority': 'priority',
  '--delay': 'delay',
  '--retries': 'retries',
  '-b': 'broker',
  '--broker': 'broker',
}

/** Variables that ask for something that only the full command does. */
const otherWishes = ['JOBQ_CONFIG', 'JOBQ_JSON', 'JOBQ_QUIET', 'JOBQ_COLOR']

/** `parameters` begin with `enqueue`, or global options before it. Adds the job, prints its id and answers true; false, with nothing done, where the full command is needed. Ends the process when adding it fails. */
export const enqueue = async (parameters: readonly string[]): Promise<boolean> => {
  const wanted = understand(parameters)
  if (wanted === null) return false
  useEmbeddedAddon()
  const broker = openBroker(wanted.file)
  if (broker === null) return false
  // Other ways of writing payloads take long to load.
  if (withPublishedCoding(wanted.item, broker.publishedTasks()) !== wanted.item) return false
  try {
    const [added] = broker.enqueue([wanted.job], wanted.now)
    if (added !== undefined) writeAll(1, `${wanted.json ? JSON.stringify(enqueuedJson(added)) : added.id}\n`)
    if (hasLongLog(wanted.file)) broker.close()
  } catch (error) {
    const { report } = await import('../report.ts')
    process.exit(report(error))
  }
  return true
}

// The end of the process lets go of the file. To close it in order would write its log back, and wait for the disk to do so,
// unless a worker has the file open as well; left behind, the log is read again by each that opens the file next.
const hasLongLog = (file: string): boolean =>
  (fs.statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > longLogBytes

const longLogBytes = 1 << 18

interface Wanted {
  readonly file: string
  readonly item: EnqueueItem
  readonly job: NewJob
  readonly json: boolean
  readonly now: ReturnType<typeof systemClock.now>
}

/** What the parameters ask for; null where the full command is needed. */
export const understand = (parameters: readonly string[]): Wanted | null => {
  const words = read(parameters)
  if (words === null || otherWishes.some((name) => process.env[name])) return null
  // A terminal's JSON is laid out; node:tty, which would tell it from other devices, takes 3 ms to load.
  if (words.json && fs.fstatSync(1).isCharacterDevice()) return null
  const folder = process.cwd()
  if (findConfig(folder) !== null) return null
  try {
    const now = systemClock.now()
    const item = enqueueItem(targetOf(words), words.values)
    const job = newJob(item, {
      now: now.at,
    })
    const said = words.broker ?? process.env.JOBQ_BROKER
    const url =
      said === undefined || (said === '' && words.broker === null)
        ? defaultBroker(process.env)
        : absoluteBroker(said, folder)
    const file = url.replace(/^sqlite:/, '')
    return path.isAbsolute(file) && !url.includes(';') ? { file, item, job, json: words.json, now } : null
  } catch (error) {
    if (error instanceof JobqError) return null
    throw error
  }
}

interface Words {
  /** A task and its payload. */
  readonly words: readonly string[]
  readonly argv: readonly string[] | null
  readonly values: JobOptionValues
  readonly broker: string | null
  readonly json: boolean
}

/** The parameters in their parts; null for one that is not understood here. */
const read = (parameters: readonly string[]): Words | null => {
  const cut = parameters.indexOf('--')
  const own = cut < 0 ? parameters : parameters.slice(0, cut)
  const before: string[] = []
  const values: Record<string, unknown> = {}
  let broker: string | null = null
  let json = false
  for (let index = 0; index < own.length; index++) {
    const word = own[index] ?? ''
    if (word.includes('\ufffd')) return null
    const [flag = word, attached] = word.startsWith('--') ? split(word) : [word]
    const option = flags[flag]
    if (word === '--json') json = true
    else if (option !== undefined) {
      const value = attached ?? own[++index]
      if (value === undefined) return null
      if (option === 'broker') broker = value
      else {
        const read = parse(option, value)
        if (read === null) return null
        values[option] = read
      }
    } else if (word.startsWith('-') || word.startsWith('@')) {
      if (word !== '--quiet') return null
    } else before.push(word)
  }
  const argv = cut < 0 ? null : parameters.slice(cut + 1)
  if (argv?.length === 0 || argv?.some((word) => word.includes('\ufffd'))) return null
  const [verb, ...words] = before
  if (verb !== 'enqueue' && verb !== 'add') return null
  if (argv === null ? words.length < 1 || words.length > 2 : words.length > 0) return null
  return { words, argv, values, broker, json }
}

const split = (word: string): [string, string?] => {
  const at = word.indexOf('=')
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)]
}

const parse = (option: keyof typeof jobOptions, value: string): unknown => {
  try {
    return jobOptions[option].parse(value)
  } catch (error) {
    if (error instanceof JobqError) return null
    throw error
  }
}

const targetOf = ({ words, argv }: Words): Target => {
  if (argv !== null) return { argv }
  const [task = '', payload] = words
  return { task, payload: payload === undefined ? undefined : decodeJson(payload) }
}

/** Null when it cannot be opened: the full command tries again and says why. */
const openBroker = (file: string): SqliteProducer | null => {
  try {
    return new SqliteProducer(file)
  } catch (error) {
    if (error instanceof JobqError) return null
    throw error
  }
}
