/** What a configuration says of how payloads and results are written and read, and what that comes to. */
import os from 'node:os'
import path from 'node:path'
import type { Clock } from '../clock.ts'
import {
  type Checked,
  mapOf,
  name,
  object,
  oneOrMore,
  plainObject,
  type Reader,
  refused,
  size,
  text,
  word,
} from '../config-readers.ts'
import { defaultMaxPayloadBytes } from '../new-job.ts'
import type { CustomCompressor } from './compressors/compressors.ts'
import { Messages } from './messages.ts'
import type { CustomSerializer } from './serializers/serializers.ts'

/** The keys of a configuration that concern payloads and results. */
export interface MessageSettings {
  /** By queue. */
  readonly queues?: Readonly<Record<string, { readonly require?: 'signed' }>>
  /** Serializers of one's own, by name. */
  readonly serializers?: Readonly<Record<string, CustomSerializer>>
  /** Compressors of one's own, by name. */
  readonly compressors?: Readonly<Record<string, CustomCompressor>>
  /** What is read, by name or content type; default json, msgpack, yaml and one's own. */
  readonly accept?: string | readonly string[]
  /** Jobs without a valid signature are not run. */
  readonly require?: 'signed'
  /** Where the keys are that `jobq keys` keeps (default `$XDG_CONFIG_HOME/jobq/keys`), and which one signs all jobs that do not say otherwise. */
  readonly keys?: { readonly folder?: string; readonly sign?: string }
  /** Payloads and results are encrypted with the 32 bytes of this file. */
  readonly encrypt?: { readonly keyFile: string }
  /** Largest payload; default 1M. */
  readonly maxPayload?: string | number
  /** Largest result; default 1M. */
  readonly maxResult?: string | number
}

const keyFile: Reader<{ readonly keyFile: string }> = (value, place) => {
  const read = object({ keyFile: text })(value, place)
  if (read.keyFile === undefined) throw refused(`${place}.keyFile`, undefined, 'the path of a file')
  return { keyFile: read.keyFile }
}

/** Codecs are checked where they are put to use. */
const codecs =
  <T extends object>(): Reader<Readonly<Record<string, T>>> =>
  (value, place) =>
    mapOf('codec', (member, at) => plainObject(member, at) as T)(value, place)

/** The readers of `MessageSettings`. */
export const messageReaders = {
  queues: mapOf('queue', object({ require: word('signed') })),
  serializers: codecs<CustomSerializer>(),
  compressors: codecs<CustomCompressor>(),
  accept: oneOrMore(text),
  require: word('signed'),
  keys: object({ folder: text, sign: name('key') }),
  encrypt: keyFile,
  maxPayload: size,
  maxResult: size,
}

/** `MessageSettings` that have been checked: sizes in bytes, lists always lists. */
export type CheckedMessageSettings = Checked<typeof messageReaders>

/** @throws JobqError `usage` naming the first key that is wrong or unknown */
export const checkMessageSettings = (settings: MessageSettings): CheckedMessageSettings =>
  object(messageReaders)(settings, '')

const defaultMaxResultBytes = 1024 * 1024

/**
 * How payloads and results are written and read by a configuration. Keys are in `~/.config/jobq/keys` where it does not say.
 * @throws JobqError `usage` for codecs that are none
 */
export const messagesBy = (settings: CheckedMessageSettings, clock: Clock): Messages => {
  const { serializers, compressors, accept, keys, encrypt, maxPayload, maxResult } = settings
  const queues = Object.entries(settings.queues ?? {}).flatMap(([queue, { require }]) =>
    require === 'signed' ? [queue] : [],
  )
  return new Messages({
    ...(serializers === undefined ? {} : { serializers }),
    ...(compressors === undefined ? {} : { compressors }),
    ...(accept === undefined ? {} : { accept }),
    ...(encrypt === undefined ? {} : { keyFile: encrypt.keyFile }),
    keys: { folder: path.join(os.homedir(), '.config', 'jobq', 'keys'), ...keys },
    requireSigned: settings.require === 'signed' ? true : queues,
    maxPayloadBytes: maxPayload ?? defaultMaxPayloadBytes,
    maxResultBytes: maxResult ?? defaultMaxResultBytes,
    clock,
  })
}
