/** What a configuration says of consumers of the event log: programs and functions that are told of everything that happens. */
import { parseBackoff } from '../backoff.ts'
import { maxTimerMs } from '../clock.ts'
import { at, duration, object, oneOrMore, type Reader, refused, text, whole } from '../config-readers.ts'
import { JobqError } from '../errors.ts'
import { type EventsPruned, type EventType, type JobqEvent, matchEventTypes } from '../event.ts'
import type { Backoff } from '../job.ts'
import { quote } from '../quote.ts'

/** What a consumer is told: an event, or that events were pruned before it came to them. */
export type ConsumedEvent = JobqEvent | EventsPruned

/** Deals with one event; what it throws or rejects with has the event told again later. `signal` aborts when time is up. */
export type EventHandler = (event: ConsumedEvent, context: { readonly signal: AbortSignal }) => unknown

/** A server that is sent each event as the JSON body of a POST. */
export interface Webhook {
  readonly url: string
  /** The key of the HMAC in `X-Jobq-Signature`; null sends no signature. */
  readonly secret: string | null
  readonly headers?: Readonly<Record<string, string>>
}

interface ConsumerBase {
  /** Under which its cursor is kept; default the `events`. */
  readonly name?: string
  /** Names of types, with `*` at the end for all that begin so; default all. */
  readonly events?: string | readonly string[]
  /** How long one delivery may take; default 30 s. */
  readonly timeout?: string | number
  /** Go on with the next event after so many further tries; default never. */
  readonly retries?: number
  /** Between two tries; default `exponential:1s..1m`. */
  readonly backoff?: string
}

/** A consumer of the event log, told of every event of its types in their order, at least once. */
export type Consumer = ConsumerBase &
  (
    | { readonly handle: EventHandler }
    | { readonly webhook: Webhook }
    /** A program with its parameters, run for each event with a line of JSON on stdin; exit code 0 means done. */
    | { readonly command: readonly string[] }
    /** A line of JSON for each event is appended to this file. */
    | { readonly file: string }
  )

/** Where the events go. */
export type Target =
  | { readonly handle: EventHandler }
  | { readonly webhook: CheckedWebhook }
  | { readonly command: readonly string[] }
  | { readonly file: string }

/** A `Webhook` that has been checked. */
export interface CheckedWebhook {
  readonly url: string
  readonly secret: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** A `Consumer` that has been checked. */
export interface CheckedConsumer {
  readonly name: string
  /** Null for all. */
  readonly types: ReadonlySet<EventType> | null
  readonly timeoutMs: number
  /** Null for never giving up. */
  readonly retries: number | null
  readonly backoff: Backoff
  readonly target: Target
}

/** A reader of times that one timer can hold. */
export const timerMs =
  (least: number): Reader<number> =>
  (value, place) => {
    const ms = duration(value, place)
    if (ms >= least && ms <= maxTimerMs) return ms
    throw new JobqError('usage', `${place}: it is ${ms < least ? `below ${least}ms` : 'above 24 days'}`)
  }

/** A reader of functions of one's own; `this` of a method stays what it was. */
export const functionOf =
  <F extends (...all: never[]) => unknown>(owner: unknown): Reader<F> =>
  (value, place) => {
    if (typeof value !== 'function') throw refused(place, value, 'a function')
    return ((...all: Parameters<F>) => Reflect.apply(value, owner, all)) as F
  }

/** The only one that is not null. @throws JobqError `usage` where there is none, or more than one */
export const onlyOf = <T>(
  given: readonly (T | null)[],
  what: { readonly place: string; readonly names: string },
): T => {
  const [only, ...others] = given.filter((each) => each !== null)
  if (only !== undefined && others.length === 0) return only
  throw new JobqError('usage', `${what.place}: it needs exactly one of ${what.names}`)
}

/** A program with its parameters. */
export const argv: Reader<readonly string[]> = (value, place) => {
  if (!Array.isArray(value)) throw refused(place, value, 'a list of a program and its parameters')
  if (value.length === 0) throw new JobqError('usage', `${place}: it is empty: it needs a program and its parameters`)
  return value.map((word, index) => (word === '' && index > 0 ? '' : text(word, `${place}[${index}]`)))
}

const url: Reader<string> = (value, place) => {
  const given = text(value, place)
  // What is wrong is not shown: there may be a password in it.
  if (!URL.canParse(given)) throw new JobqError('usage', `${place}: it is no URL`)
  const { protocol, username, password } = new URL(given)
  if (protocol !== 'http:' && protocol !== 'https:') throw new JobqError('usage', `${place}: it is not http: or https:`)
  if (username !== '' || password !== '') {
    throw new JobqError('usage', `${place}: a name and password belong into headers, as Authorization`)
  }
  return given
}

const headers: Reader<Readonly<Record<string, string>>> = (value, place) => {
  try {
    return Object.fromEntries(new Headers(value as Record<string, string>))
  } catch (error) {
    throw new JobqError('usage', `${place}: these are no headers`, { cause: error })
  }
}

const webhook: Reader<CheckedWebhook> = (value, place) => {
  const keys = { url, secret: (secret: unknown, at: string) => (secret === null ? null : text(secret, at)), headers }
  const read = object(keys)(value, place)
  if (read.url === undefined) throw new JobqError('usage', `${place}.url: it is missing`)
  if (read.secret === undefined) {
    throw new JobqError('usage', `${place}.secret: it is missing; null sends events without a signature`)
  }
  return { url: read.url, secret: read.secret, headers: read.headers ?? {} }
}

const types: Reader<{ readonly types: ReadonlySet<EventType>; readonly words: string }> = (value, place) => {
  const words = oneOrMore(text)(value, place)
  if (words.length === 0) throw refused(place, value, 'a list of types')
  try {
    return { types: matchEventTypes(words), words: words.join(',') }
  } catch (error) {
    throw new JobqError('usage', `${place}: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

const consumer: Reader<CheckedConsumer> = (value, place) => {
  const read = object({
    name: text,
    events: types,
    timeout: timerMs(1),
    retries: whole(0, 1_000_000),
    backoff: (backoff, at_) => at(at_, () => parseBackoff(text(backoff, at_))),
    handle: functionOf<EventHandler>(value),
    webhook,
    command: argv,
    file: text,
  })(value, place)
  const { handle, webhook: hook, command, file } = read
  const given: readonly (Target | null)[] = [
    handle === undefined ? null : { handle },
    hook === undefined ? null : { webhook: hook },
    command === undefined ? null : { command },
    file === undefined ? null : { file },
  ]
  return {
    name: read.name ?? read.events?.words ?? '*',
    types: read.events?.types ?? null,
    timeoutMs: read.timeout ?? 30_000,
    retries: read.retries ?? null,
    backoff: read.backoff ?? parseBackoff('exponential:1s..1m'),
    target: onlyOf(given, { place, names: 'handle, webhook, command, file' }),
  }
}

const consumers: Reader<readonly CheckedConsumer[]> = (value, place) => {
  const read = oneOrMore(consumer)(value, place)
  const names = read.map(({ name }) => name)
  const doubled = names.find((name, index) => names.indexOf(name) !== index)
  if (doubled === undefined) return read
  throw new JobqError('usage', `${place}: two have the name ${quote(doubled)}; each needs one of its own`)
}

/** The keys of a configuration that concern consumers. */
export interface ConsumerSettings {
  readonly consumers?: readonly Consumer[]
}

/** The readers of `ConsumerSettings`. */
export const consumerReaders = { consumers }
