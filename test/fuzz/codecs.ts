import assert from 'node:assert/strict'
import { Compressors } from '../../src/envelope/compressors/compressors.ts'
import { Rejected } from '../../src/envelope/rejected.ts'
import { Serializers } from '../../src/envelope/serializers/serializers.ts'
import { serializerTable, tabled } from '../envelope/serializer-table.ts'
import type { FuzzTarget } from './target.ts'

const serializers = new Serializers({ accept: tabled })
const compressors = new Compressors()
const isRefusal = (error: unknown): boolean => error instanceof Rejected

// biome-ignore format: a table
const words: Readonly<Record<(typeof tabled)[number], readonly (string | Uint8Array)[]>> = {
  json: ['[', ']', '{"a":', '}', ',', ':', '"', '\\u', '\\ud800', '\\u0000', '__proto__', '"constructor"', '-', '1e999', '9007199254740993', 'null', '\ufeff', '\0'],
  msgpack: [0x80, 0x8f, 0x91, 0xc1, 0xc6, 0xc9, 0xcb, 0xcf, 0xd3, 0xdb, 0xdd, 0xdf].map((head) => Uint8Array.of(head, 0xff, 0xff, 0xff, 0xff)),
  yaml: ['- ', '? ', ': ', '\n', '\n  ', '&a ', '*a', '!!int ', '!!binary ', '!', '|', '>-', '---\n', '...', '%YAML 1.1\n', '<<: *a', '__proto__: ', "'", '"', '[', '{', '}', ']', '# ', '\t', '.inf', '0x', '1e999', '\\x', '\u2028', '\0'],
  v8: ['o{', 'A', 'a', 'B', '~', 'V', '\\', '^', 'I', 'Z', 'z', ';:', "',", 'R', 'r', 'D', '"', 'c', '@', 'u', 'm', 'S', 'w'].flatMap((tag) => [tag, Buffer.concat([Buffer.from(tag), Buffer.of(0xff, 0xff, 0xff, 0xff, 0x0f)])]),
}

/** Every built-in serializer. */
export const serializerTargets: readonly FuzzTarget[] = tabled.map((name) => {
  const written = serializerTable
    .filter((row) => row[name] !== 'refused')
    .map((row) => serializers.encode(name, row.value))
  const contentType = written[0]?.contentType ?? ''
  return {
    name,
    examples: written.map(({ data }) => Buffer.from(data)),
    words: words[name],
    read(data) {
      const limits = { maxBytes: 2 ** 20, maxDepth: 100 }
      // What could be read can be written, and that is read as the same.
      const again = serializers.encode(name, serializers.decode({ contentType, data }, limits))
      assert.deepEqual(serializers.encode(name, serializers.decode(again, limits)), again)
    },
    isRefusal,
  }
})

const texts = ['', 'x', JSON.stringify(serializerTable.map(({ kind }) => kind)), 'ab'.repeat(3000)]

/** Every built-in compressor. */
export const compressorTargets: readonly FuzzTarget[] = compressors.names.map((name) => ({
  name,
  examples: [...texts.map((text) => Buffer.from(text)), Buffer.alloc(2 ** 20)].map((text) =>
    compressors.compress(name, text),
  ),
  read: (bytes) => compressors.inflate(name, bytes, 2 ** 16),
  isRefusal,
}))
