/**
 * What goes through a worker's socket: one JSON document a line, requests one way and replies the other, a reply for
 * each request, in their order, under its `id`.
 */
import type { Readable } from 'node:stream'
import type { ErrorCode } from '../errors.ts'
import type { ControlCommand } from './command.ts'
import type { ControlResult } from './result.ts'

/** The version of this protocol; a worker answers requests of its own version only. */
export const controlVersion = 1
/** Longest request, and longest reply, in bytes. */
export const maxRequestBytes = 64 * 1024
export const maxReplyBytes = 16 * 1024 * 1024

/** From a client to a worker. */
export interface ControlRequest {
  readonly version: typeof controlVersion
  readonly id: number
  /** The monotonic millisecond (`Moment.tick`) from which on nobody waits for the answer: nothing is done then. */
  readonly expiresTick: number
  readonly command: ControlCommand
}

/** From a worker to a client; `id` is null where the request could not be read. */
export type ControlReply =
  | {
      readonly version: typeof controlVersion
      readonly id: number | null
      readonly ok: true
      readonly result: ControlResult
    }
  | {
      readonly version: typeof controlVersion
      readonly id: number | null
      readonly ok: false
      readonly code: ErrorCode
      readonly message: string
    }

/** A request or a reply as a line. */
export const encodeFrame = (frame: ControlRequest | ControlReply): string => `${JSON.stringify(frame)}\n`

/**
 * The lines of a stream. Bytes behind the last newline are dropped.
 * @throws RangeError as soon as a line is longer than `maxBytes`
 */
export async function* linesOf(stream: Readable, maxBytes: number): AsyncGenerator<string, void, void> {
  let rest: Buffer[] = []
  let restBytes = 0
  // Whoever stops reading may still want to write.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      if (restBytes + end - start > maxBytes) throw tooLong(maxBytes)
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString('utf8')
      rest = []
      restBytes = 0
      start = end + 1
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
    restBytes += chunk.length - start
    if (restBytes > maxBytes) throw tooLong(maxBytes)
  }
}

const tooLong = (maxBytes: number): RangeError => new RangeError(`a line is longer than ${maxBytes} bytes`)
