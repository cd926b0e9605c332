import fs from 'node:fs'
import type { Command } from 'commander'
import type { Queue } from '../src/client.ts'
import { systemClock } from '../src/clock.ts'
import type { Messages } from '../src/envelope/messages.ts'
import type { Job } from '../src/job.ts'
import { jsonView } from '../src/json-view.ts'
import { type LoadedConfig, loadConfig } from './config.ts'
import { messageConfig } from './message-config.ts'
import { Output } from './output.ts'
import { hideEnvironment, redactJob } from './redact.ts'
import { type GlobalFlags, type Origin, resolve, type Sources, settings } from './settings.ts'

export type { Queue }

/** What every command works with. */
export interface Session {
  readonly output: Output
  readonly sources: Sources
  readonly config: LoadedConfig | null
  readonly broker: Origin<string>
  /** The job as it may be shown: without the values of its environment and those that the configuration says. */
  readonly shown: (job: Job) => Job
  /** The same with the values of its environment, where they were asked for. */
  readonly shownRaw: (job: Job) => Job
}

/**
 * Reads configuration, environment and global flags for a command.
 * @throws JobqError `usage`
 */
export const openSession = async (command: Command): Promise<Session> => {
  const flags: GlobalFlags = command.optsWithGlobals()
  const environment = process.env
  const folder = process.cwd()
  const named = flags.config ?? environment.JOBQ_CONFIG
  const config = await loadConfig(folder, named === undefined || named === '' ? null : named)
  const sources = { environment, folder, config }
  const output = new Output({
    json: resolve(settings.json, flags.json, sources).value,
    quiet: resolve(settings.quiet, flags.quiet, sources).value,
    color: resolve(settings.color, flags.color, sources).value,
    environment,
    terminal: {
      stdout: process.stdout.isTTY === true,
      stderr: process.stderr.isTTY === true,
      columns: process.stdout.columns || process.stderr.columns || 80,
    },
    now: () => systemClock.now().at,
  })
  const names = new Set(config?.values.redact)
  const broker = resolve(settings.broker, flags.broker, sources)
  const shownRaw = (job: Job): Job =>
    redactJob({ ...job, payload: jsonView(job.payload), result: jsonView(job.result) }, names)
  return { output, sources, config, broker, shown: (job) => shownRaw(hideEnvironment(job)), shownRaw }
}

/**
 * Connects to a session's broker; who asks for that closes it.
 * @throws JobqError `not-found` where there is none and it is not to be created, and what connecting throws
 */
export const connectTo = async (
  session: Session,
  { create }: { readonly create: boolean },
): Promise<{ readonly queue: Queue; readonly messages: Messages }> => {
  const [{ connect }, { messagesBy }] = await Promise.all([
    import('../src/client.ts'),
    import('../src/envelope/message-settings.ts'),
  ])
  const messages = messagesBy(messageConfig(session.sources), systemClock)
  const readonly = isReadonly(session.broker.value)
  return { queue: await connect(session.broker.value, { create: create && !readonly, readonly, messages }), messages }
}

/** Connects to a session's broker for as long as `work` takes. */
export const onQueue = async (
  session: Session,
  work: (queue: Queue, messages: Messages) => Promise<void>,
): Promise<void> => {
  const { queue, messages } = await connectTo(session, { create: true })
  try {
    await work(queue, messages)
  } finally {
    await queue.close()
  }
}

/** Opens a session and connects to its broker for as long as `work` takes. */
export const withQueue = async (
  command: Command,
  work: (queue: Queue, session: Session) => Promise<void>,
): Promise<void> => {
  const session = await openSession(command)
  await onQueue(session, (queue) => work(queue, session))
}

/** A file that may not be written can still be looked at. */
const isReadonly = (url: string): boolean => {
  const file = url.replace(/^sqlite:/i, '')
  if (!fs.existsSync(file)) return false
  try {
    fs.accessSync(file, fs.constants.W_OK)
    return false
  } catch {
    return true
  }
}
