import { checkValue, type Kind } from './check-value.ts'
import { decoding, toText } from './data.ts'
import { maxDepth, type Serializer } from './serializer.ts'
import { readYaml, writeYaml } from './yaml-library.ts'

const format = { name: 'YAML', keeps: new Set<Kind>(), maxDepth }

/** YAML's core schema: JSON's values, NaN and the infinities, as text that people read. */
export const yamlSerializer: Serializer = {
  contentType: 'application/yaml',
  encode(value) {
    checkValue(value, format)
    return writeYaml(value)
  },
  decode(data, limits) {
    const text = toText(data, limits)
    return decoding(() => {
      const value = readYaml(text, limits.maxDepth)
      checkValue(value, { ...format, maxDepth: limits.maxDepth, maxWeight: limits.maxBytes })
      return value
    })
  },
}
