import {
  CORE_SCHEMA,
  defineMappingTag,
  defineScalarTag,
  dump,
  floatCoreTag,
  intCoreTag,
  load,
  mapTag,
  NOT_RESOLVED,
  type ScalarTagDefinition,
  YAMLException,
} from 'js-yaml'
import { InexactNumber, isExactNumber } from '../../exact-number.ts'
import { reachesPrototype } from '../../value-path.ts'

/** As the core schema has it, but a number that a double cannot hold stands out instead of being rounded or text. */
const exactNumber = (tag: ScalarTagDefinition<number>, forms: RegExp | null) =>
  defineScalarTag<number | InexactNumber>(tag.tagName, {
    implicit: tag.implicit,
    implicitFirstChars: tag.implicitFirstChars,
    resolve(source, isExplicit, tagName) {
      const value = tag.resolve(source, isExplicit, tagName)
      if (value === NOT_RESOLVED) return forms?.test(source) ? new InexactNumber(source) : value
      return isExact(source, value) ? value : new InexactNumber(source)
    },
    identify: tag.identify,
    represent: tag.represent,
  })

/** What neither tag reads although it is a number: it is too great. */
const anyNumber = /^(0x[0-9a-fA-F]+|0o[0-7]+|[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?)$/

const isExact = (source: string, value: number): boolean => {
  if (/^[-+]?0[xob]/i.test(source)) return Number.isSafeInteger(value)
  return /^[-+]?\.[in]/i.test(source) || isExactNumber(source, value)
}

const plainKeys = defineMappingTag(mapTag.tagName, {
  ...mapTag,
  addPair(map, key, value) {
    if (typeof key !== 'string') return 'a key that is not text'
    return reachesPrototype(key) ? `the key ${key}` : mapTag.addPair(map, key, value)
  },
})

const schema = CORE_SCHEMA.withTags(exactNumber(intCoreTag, null), exactNumber(floatCoreTag, anyNumber), plainKeys)

/** A value that was checked, as YAML without aliases. */
export const writeYaml = (value: unknown): string => dump(value, { noRefs: true, lineWidth: -1 })

/**
 * The value of YAML; an InexactNumber stands for a number that a double cannot hold, and aliases are one object each.
 * @throws Error for what is not YAML, has reserved or doubled keys, or is deeper than `maxDepth` and one level
 */
export const readYaml = (text: string, maxDepth: number): unknown => {
  try {
    return load(text, { schema, maxDepth: maxDepth + 1 })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const place = error.mark === undefined ? '' : `, at line ${error.mark.line + 1}, column ${error.mark.column + 1}`
    throw new Error(`not YAML: ${error.reason.slice(0, 200)}${place}`, { cause: error })
  }
}
