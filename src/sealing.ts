import type { Payload, PayloadOwner } from './job.ts'

/** How a value is to be written; what is absent is not done. */
export interface Coding {
  /** Default json. */
  readonly serializer?: string
  /** The name of a compressor, or `none`. */
  readonly compress?: string
}

/** How a payload is to be written. */
export interface Sealing extends Coding {
  /** The id of a key, or true for the configuration's. */
  readonly sign?: string | boolean
}

/** A payload to store, and its signature to be made when its job is known. */
export interface Sealed {
  readonly payload: Payload
  readonly sign?: (owner: PayloadOwner) => string
}

/** Writes payloads. */
export interface PayloadSealer {
  /**
   * A payload as it is to be stored. `queue` is null where it is not known yet.
   * @throws JobqError `usage` for what cannot be kept or is too large, `permission` or `not-found` for a key
   */
  seal(value: unknown, sealing: Sealing, of: { readonly task: string; readonly queue: string | null }): Sealed
}
