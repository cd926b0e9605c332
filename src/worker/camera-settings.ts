/** What a configuration says of cameras: what takes a picture of the whole broker every so often. */

import type { BrokerState } from '../client/broker-state.ts'
import { object, oneOrMore, type Reader, text } from '../config-readers.ts'
import { JobqError } from '../errors.ts'
import { argv, functionOf, onlyOf, timerMs } from './consumer-settings.ts'

/** Takes a picture; `signal` aborts when time is up. */
export type Shutter = (state: BrokerState, context: { readonly signal: AbortSignal }) => unknown

/** What takes a picture every so often. */
export type Camera = {
  readonly every: string | number
  /** How long one picture may take; default 30 s. */
  readonly timeout?: string | number
} & (
  | { readonly shutter: Shutter }
  /** A program with its parameters, run for each picture with a line of JSON on stdin. */
  | { readonly command: readonly string[] }
  /** A line of JSON for each picture is appended to this file. */
  | { readonly file: string }
)

/** A `Camera` that has been checked. */
export interface CheckedCamera {
  readonly everyMs: number
  readonly timeoutMs: number
  readonly target: { readonly shutter: Shutter } | { readonly command: readonly string[] } | { readonly file: string }
}

const camera: Reader<CheckedCamera> = (value, place) => {
  const keys = {
    every: timerMs(100),
    timeout: timerMs(1),
    shutter: functionOf<Shutter>(value),
    command: argv,
    file: text,
  }
  const { every, timeout, shutter, command, file } = object(keys)(value, place)
  if (every === undefined) throw new JobqError('usage', `${place}.every: it is missing`)
  const given: readonly (CheckedCamera['target'] | null)[] = [
    shutter === undefined ? null : { shutter },
    command === undefined ? null : { command },
    file === undefined ? null : { file },
  ]
  const target = onlyOf(given, { place, names: 'shutter, command, file' })
  return { everyMs: every, timeoutMs: timeout ?? 30_000, target }
}

/** The keys of a configuration that concern cameras. */
export interface CameraSettings {
  readonly cameras?: readonly Camera[]
}

/** The readers of `CameraSettings`. */
export const cameraReaders = { cameras: oneOrMore(camera) }
