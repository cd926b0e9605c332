import type { Coding } from '../sealing.ts'

/** What a child needs to read payloads and write results. */
export interface CodecPlan {
  /** The file whose default export holds codecs of the user's own; null where there are none. */
  readonly configFile: string | null
  readonly accept: readonly string[] | null
  readonly maxPayloadBytes: number
  /** How results are written, in general and by task. */
  readonly defaults: Coding
  readonly tasks: Readonly<Record<string, Coding>>
}
