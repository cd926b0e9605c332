/**
 * An event as a person reads it. The words say what happened to what the line already names (job, worker, queue), so
 * that a timeline of one job and the log of all of them can use the same ones.
 */
import type { EventType, JobqEvent } from '../src/event.ts'
import type { Style } from './table.ts'

/** What writes instants and durations. */
interface Writer {
  instant(at: number): string
  duration(ms: number): string
}

/** What an event says, on one line without its time and subject; text from outside is not yet made visible. */
export const eventText = (event: JobqEvent, writer: Writer): string => {
  const { type, data } = event
  const attempt = event.attempt === null || event.attempt === 0 ? '' : `attempt ${event.attempt} `
  const on = event.worker === null ? '' : ` on ${event.worker}`
  const took = typeof data.runtimeMs === 'number' ? ` after ${writer.duration(data.runtimeMs)}` : ''
  const next = typeof data.dueAt === 'number' ? `, next ${writer.instant(data.dueAt)}` : ''
  const failure = failureText(data)
  switch (type) {
    case 'job.queued':
      return typeof data.dueAt === 'number' && data.dueAt > event.at
        ? `queued, due ${writer.instant(data.dueAt)}`
        : 'queued'
    case 'job.requeued':
      return typeof data.dueAt === 'number' && data.dueAt > event.at
        ? `queued again, due ${writer.instant(data.dueAt)}`
        : 'queued again'
    case 'job.started':
      return `${attempt}started${on}${typeof data.pid === 'number' ? ` (pid ${data.pid})` : ''}`
    case 'job.progress':
      return `${Math.round(Number(data.fraction) * 100)} %${typeof data.text === 'string' ? ` ${data.text}` : ''}`
    case 'job.succeeded':
      return `${attempt}succeeded${took}`
    case 'job.failed':
      return `${attempt}failed for good${took}${failure}`
    case 'job.retried':
      return `${attempt}failed${took}${failure}${next}`
    case 'job.snoozed':
      return `${attempt}put off${took}${next}`
    case 'job.recovered':
      return `${attempt}interrupted${data.cause === 'shutdown' ? ' by a stop of its worker' : ''}, goes back to the queue${failure}`
    case 'job.rejected':
      return `cannot be run${failure}`
    case 'job.cancelled':
      return `cancelled${failure}`
    case 'tasks.reloaded':
      return reloadText(data)
    case 'worker.offline':
    case 'worker.online':
      return `${type.slice('worker.'.length)}${extraText(data)}`
    case 'child.exited':
    case 'child.started':
      return `${type.replace('.', ' ')}${extraText(data)}`
    default:
      return `${type.slice(type.indexOf('.') + 1)}${extraText(data)}`
  }
}

/** The colour of an event's words, where the state that it leads to has one. */
export const eventStyle = (type: EventType): Style | null => {
  const styles: Partial<Record<EventType, Style>> = {
    'job.started': 'blue',
    'job.succeeded': 'green',
    'job.failed': 'red',
    'job.rejected': 'red',
    'job.retried': 'yellow',
    'job.recovered': 'yellow',
    'job.stale': 'dim',
    'job.cancelled': 'dim',
    'worker.heartbeat': 'dim',
  }
  return styles[type] ?? null
}

const failureText = (data: Readonly<Record<string, unknown>>): string => {
  const { error, exitCode, signal } = data
  if (typeof error === 'object' && error !== null) {
    const message = String(Reflect.get(error, 'message')).split('\n', 1)[0]
    return `: ${Reflect.get(error, 'type')}: ${message}`
  }
  if (typeof signal === 'string') return `: killed by ${signal}`
  return typeof exitCode === 'number' ? `: exit code ${exitCode}` : ''
}

const reloadText = ({ reason, loaded, tasks, message, problems }: Readonly<Record<string, unknown>>): string => {
  const places = (Array.isArray(problems) ? problems : []).map(
    ({ file, line, message }: { file: string; line: number | null; message: string }) =>
      `; ${file}${line === null ? '' : `:${line}`}: ${message}`,
  )
  return `${loaded === true ? `${tasks} reloaded` : String(message)} (${reason})${places.join('')}`
}

const extraText = (data: Readonly<Record<string, unknown>>): string =>
  Object.entries(data)
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('')
