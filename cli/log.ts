/**
 * The worker's log on stderr, one line an entry, as text or JSON. The lines of one turn of the event loop are written
 * together. A log that cannot be written any more never stops the worker.
 */

import { type EventType, eventTypes } from '../src/event.ts'
import { instantsAsText } from '../src/event-json.ts'
import { type LogEntry, type LogLevel, logLevels } from '../src/worker/log-entry.ts'
import { eventStyle, eventText } from './event-text.ts'
import type { Output } from './output.ts'
import { visible, visibleJson } from './visible.ts'
import { writeAll } from './write.ts'

/** Takes entries and writes them. */
export interface Log {
  readonly write: (entry: LogEntry) => void
  /** Writes at once what has been taken. */
  readonly flush: () => void
}

/** A log on stderr in the given format, of entries of this level and above. */
export const openLog = (format: 'text' | 'json', threshold: LogLevel, output: Output): Log => {
  const instant = latestInstant()
  const line = (entry: LogEntry): string =>
    format === 'json' ? jsonLine(entry, instant(entry.at)) : textLine(entry, instant(entry.at), output)
  let lines: string[] = []
  const flush = (): void => {
    const text = lines.join('')
    lines = []
    writeAll(2, text)
  }
  const write = (entry: LogEntry): void => {
    if (logLevels.indexOf(entry.level) < logLevels.indexOf(threshold)) return
    if (lines.push(line(entry)) === 1) setImmediate(flush)
  }
  return { write, flush }
}

/** Writes instants; lines of the same millisecond, which come by the hundred, share one. */
const latestInstant = (): ((at: number) => string) => {
  let latest = { at: Number.NaN, text: '' }
  return (at) => {
    if (at !== latest.at) latest = { at, text: writer.instant(at) }
    return latest.text
  }
}

const jsonLine = (entry: LogEntry, at: string): string => {
  const { level, type, message, job, task, queue, attempt, data } = entry
  const fixed = { at, level, type, job, task, queue, attempt, message }
  return `${visibleJson(JSON.stringify({ ...fixed, ...instantsAsText(data ?? {}), ...fixed }))}\n`
}

const textLine = (entry: LogEntry, at: string, output: Output): string => {
  const { level, job, task, queue } = entry
  const subject = job === undefined ? '' : `job ${job} ${task ?? ''} (${queue ?? ''}): `
  return `${output.paint('dim', at, 2)} ${level.padEnd(5)} ${visible(subject)}${said(entry, output)}\n`
}

const said = (entry: LogEntry, output: Output): string => {
  const { type, message, level } = entry
  if (message !== undefined || !isEvent(type)) {
    const style = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : null
    const text = message ?? type
    return style === null ? visible(text) : output.paint(style, text, 2)
  }
  const { at, job = null, task = null, queue = null, attempt = null, data = {} } = entry
  const text = eventText({ id: 0, at, type, job, task, queue, worker: null, attempt, data }, writer)
  const style = eventStyle(type)
  return style === null ? visible(text) : output.paint(style, text, 2)
}

/** In a log, instants are absolute wherever it goes. */
const writer = {
  instant: (at: number): string => new Date(at).toISOString(),
  duration: (ms: number): string => (ms < 1_000 ? `${Math.round(ms * 100) / 100}ms` : `${Math.round(ms) / 1_000}s`),
}

const isEvent = (type: string): type is EventType => (eventTypes as readonly string[]).includes(type)
