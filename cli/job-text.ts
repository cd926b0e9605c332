import { commandTask, type Job } from '../src/job.ts'
import type { Style } from './table.ts'

/** What a job is, on one line: the command as a shell would take it, otherwise its label or its payload. */
export const jobText = (job: Pick<Job, 'task' | 'name' | 'payload'>): string => {
  if (job.name !== null) return job.name
  const argv = job.task === commandTask ? argvOf(job.payload) : null
  if (argv !== null) return argv.map(shellWord).join(' ')
  return job.payload === null ? '' : JSON.stringify(job.payload)
}

/** How far a job is or what became of it, on one line; empty where there is nothing to say. */
export const progressText = (job: Job): string => {
  if (job.cancelling && job.state === 'running') return 'being cancelled'
  if (job.state === 'running' && job.progress !== null) {
    const { fraction, text } = job.progress
    return `${Math.round(fraction * 100)} %${text === null ? '' : ` ${text}`}`
  }
  if (job.error === null || job.state === 'succeeded' || job.state === 'running') return ''
  return `${job.error.type}: ${job.error.message.split('\n', 1)[0]}`
}

/** The state, or the label that says more, as it is shown to a person. */
export const stateText = (job: Pick<Job, 'state' | 'label'>): string => job.label ?? job.state

/** Colour means state: running blue, succeeded green, retrying yellow, failed red, cancelled dim, waiting as it is. */
export const stateStyle = (job: Pick<Job, 'state' | 'label'>): Style | null => {
  if (job.label === 'retrying') return 'yellow'
  const styles = { blocked: null, queued: null, running: 'blue', succeeded: 'green', failed: 'red', cancelled: 'dim' }
  return styles[job.state] as Style | null
}

const argvOf = (payload: unknown): string[] | null => {
  const argv: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'argv') : null
  return Array.isArray(argv) && argv.every((word) => typeof word === 'string') ? argv : null
}

const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
