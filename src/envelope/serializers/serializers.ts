/**
 * The serializers by name and content type. A value is written by name; what was written is read by the content type
 * that was recorded with it, if that is accepted: `v8` is only where it is named, because its reader is not made for
 * bytes that somebody means harm with.
 *
 * A custom serializer may give text or bytes. Text is recorded with `; charset=utf-8` after the content type, so that
 * its `decode` is handed what its `encode` gave, text or bytes, even if it was compressed in between.
 */
import { JobqError } from '../../errors.ts'
import { nearest } from '../../nearest.ts'
import { quote } from '../../quote.ts'
import { isContentType } from '../content-type.ts'
import { ofUser } from '../of-user.ts'
import { Rejected } from '../rejected.ts'
import { decoding, toBytes, toText } from './data.ts'
import { jsonSerializer } from './json-serializer.ts'
import { msgpackSerializer } from './msgpack-serializer.ts'
import type { DecodeLimits, Serializer } from './serializer.ts'
import { v8Serializer } from './v8-serializer.ts'
import { checkWeight } from './weigh.ts'
import { yamlSerializer } from './yaml-serializer.ts'

/** A serializer of the user's own. */
export interface CustomSerializer {
  /** Such as `application/cbor`, without parameters. */
  readonly contentType: string
  encode(value: unknown): string | Uint8Array
  /** Given what `encode` gave: text if that was text, else bytes. */
  decode(data: string | Uint8Array): unknown
}

/** A value that was written, and how. */
export interface Serialized {
  readonly contentType: string
  readonly data: string | Uint8Array
}

/** Which serializers there are beside the built-in ones, and which are read. */
export interface SerializersOptions {
  /** By name. */
  readonly custom?: Readonly<Record<string, CustomSerializer>>
  /** Names or content types; default `json`, `msgpack`, `yaml` and the custom ones. */
  readonly accept?: readonly string[]
}

const builtIn: Readonly<Record<string, Serializer>> = {
  json: jsonSerializer,
  msgpack: msgpackSerializer,
  yaml: yamlSerializer,
  v8: v8Serializer,
}

const textParameter = '; charset=utf-8'

/** The serializers that a client or worker has. */
export class Serializers {
  readonly #byName = new Map<string, Serializer>(Object.entries(builtIn))
  readonly #byType = new Map<string, Serializer>()
  readonly #accepted: ReadonlySet<Serializer>

  /** @throws JobqError `usage` for a custom serializer that is none, a doubled name or type, an unknown one in `accept` */
  constructor({ custom = {}, accept }: SerializersOptions = {}) {
    for (const [name, serializer] of Object.entries(custom)) this.#add(name, serializer)
    for (const [name, serializer] of this.#byName) {
      if (this.#byType.has(serializer.contentType))
        throw new JobqError('usage', `serializers.${name}: there is a serializer of ${serializer.contentType} already`)
      this.#byType.set(serializer.contentType, serializer)
    }
    const accepted = accept ?? [...this.#byName.keys()].filter((name) => name !== 'v8')
    this.#accepted = new Set(accepted.map((name) => this.#byType.get(name) ?? this.#named(name, 'accept: ')))
  }

  /** The names that values can be written by. */
  get names(): readonly string[] {
    return [...this.#byName.keys()]
  }

  /**
   * Writes a value by the name of a serializer.
   * @throws JobqError `usage` for an unknown name, or naming the first place that would not be kept as it is
   */
  encode(name: string, value: unknown): Serialized {
    const serializer = this.#named(name)
    const data = serializer.encode(value)
    const isCustomText = typeof data === 'string' && !Object.hasOwn(builtIn, name)
    return { contentType: serializer.contentType + (isCustomText ? textParameter : ''), data }
  }

  /**
   * Reads what was written, by its content type; text may come as its UTF-8 bytes.
   * @throws Rejected `unknown-codec`, `not-accepted`, `too-large` or `unreadable`
   */
  decode({ contentType, data }: Serialized, limits: DecodeLimits): unknown {
    const serializer = this.#accepting(contentType)
    return serializer.decode(contentType.endsWith(textParameter) ? toText(data, limits) : data, limits)
  }

  /**
   * Checks that what is recorded with this content type is read here.
   * @throws Rejected `unknown-codec`, `not-accepted`
   */
  checkAccepted(contentType: string): void {
    this.#accepting(contentType)
  }

  /**
   * True of a content type that the serializer of this name records.
   * @throws JobqError `usage` for an unknown name
   */
  isOf(name: string, contentType: string): boolean {
    return this.#named(name) === this.#byType.get(withoutParameter(contentType))
  }

  /** @throws JobqError `usage` for an unknown name */
  checkName(name: string): void {
    this.#named(name)
  }

  #accepting(contentType: string): Serializer {
    const serializer = this.#byType.get(withoutParameter(contentType))
    if (serializer === undefined)
      throw new Rejected('unknown-codec', `no serializer reads ${quote(contentType)}; add it to serializers`)
    if (!this.#accepted.has(serializer))
      throw new Rejected('not-accepted', `${quote(contentType)} is not accepted; add it to accept if it is to be read`)
    return serializer
  }

  #named(name: string, place = ''): Serializer {
    const serializer = this.#byName.get(name)
    if (serializer !== undefined) return serializer
    const meant = nearest(name, this.names)
    throw new JobqError(
      'usage',
      `${place}no serializer ${quote(name)}${meant === null ? '' : `; did you mean ${meant}?`}`,
    )
  }

  #add(name: string, custom: CustomSerializer): void {
    if (Object.hasOwn(builtIn, name)) throw new JobqError('usage', `serializers.${name}: that name is built in`)
    if (!isContentType(custom.contentType))
      throw new JobqError(
        'usage',
        `serializers.${name}.contentType: ${quote(custom.contentType)} is not a content type`,
      )
    for (const key of ['encode', 'decode'] as const)
      if (typeof custom[key] !== 'function')
        throw new JobqError('usage', `serializers.${name}.${key} is not a function`)
    this.#byName.set(name, fromCustom(name, custom))
  }
}

const withoutParameter = (contentType: string): string =>
  contentType.endsWith(textParameter) ? contentType.slice(0, -textParameter.length) : contentType

const fromCustom = (name: string, custom: CustomSerializer): Serializer => ({
  contentType: custom.contentType,
  encode(value) {
    const data = ofUser(`serializers.${name}.encode`, () => custom.encode(value))
    if (typeof data === 'string' || data instanceof Uint8Array) return data
    throw new JobqError('usage', `serializers.${name}.encode gave neither text nor bytes`)
  },
  decode(data, limits) {
    const checked = typeof data === 'string' ? toText(data, limits) : toBytes(data, limits)
    const value = decoding(() => custom.decode(checked))
    checkWeight(value, limits.maxBytes)
    return value
  },
})
