// What each serializer does with each kind of value, as data: the tests try it, and the documentation shows it.

/** How a value comes back: as it was, not at all (refused when it is written), or as something else. */
export type Fate = 'kept' | 'refused' | { readonly becomes: string; readonly value: unknown }

export interface TableRow {
  readonly kind: string
  readonly value: unknown
  /** Where the refusal says that the trouble is. */
  readonly path: string
  readonly json: Fate
  readonly msgpack: Fate
  readonly yaml: Fate
  readonly v8: Fate
}

const cycle: { self?: unknown } = {}
cycle.self = cycle

class Money {
  cents = 5
}

const epoch = new Date(1_234_567_890_123)

const becomes = (text: string, value: unknown): Fate => ({ becomes: text, value })

const row = (kind: string, value: unknown, path: string, ...fates: readonly [Fate, Fate, Fate, Fate]): TableRow => {
  const [json, msgpack, yaml, v8] = fates
  return { kind, value, path, json, msgpack, yaml, v8 }
}

// biome-ignore format: a table
export const serializerTable: readonly TableRow[] = [
  row('null, booleans, text', { a: [null, true, false, '', 'ä😀\n'] }, '$', 'kept', 'kept', 'kept', 'kept'),
  row('numbers, integers to 2^53', [0, -1, 0.1, 1e300, 5e-324, 2 ** 53 - 1, 1 - 2 ** 53, 2 ** 40], '$', 'kept', 'kept', 'kept', 'kept'),
  row('-0', { a: -0 }, '$', becomes('0', { a: 0 }), becomes('0', { a: 0 }), 'kept', 'kept'),
  row('NaN, infinities', { a: Number.NaN, b: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] }, '$.a', 'refused', 'kept', 'kept', 'kept'),
  row('bigint', { a: 2n ** 70n, b: -5n }, '$.a', 'refused', 'kept', 'refused', 'kept'),
  row('Date', { a: epoch }, '$.a', becomes('ISO text', { a: epoch.toISOString() }), 'kept', 'refused', 'kept'),
  row('invalid Date', [new Date(Number.NaN)], '$[0]', 'refused', 'refused', 'refused', 'refused'),
  row('Uint8Array', { a: Uint8Array.of(0, 255) }, '$.a', 'refused', 'kept', 'refused', 'kept'),
  row('Buffer', { a: Buffer.from('x') }, '$.a', 'refused', becomes('Uint8Array', { a: Uint8Array.of(120) }), 'refused', 'kept'),
  row('other binary views, ArrayBuffer', [Float64Array.of(0.5), Int16Array.of(-1).buffer], '$[0]', 'refused', 'refused', 'refused', 'kept'),
  row('undefined as a property', { a: undefined, b: 1 }, '$.a', becomes('absent', { b: 1 }), 'refused', 'refused', 'kept'),
  row('undefined in an array', [undefined], '$[0]', 'refused', 'refused', 'refused', 'kept'),
  row('holes in an array', Object.assign([], { 1: 1 }), '$[0]', 'refused', 'refused', 'refused', 'refused'),
  row('Map, Set', [new Map([['a', 1]]), new Set([1])], '$[0]', 'refused', 'refused', 'refused', 'kept'),
  row('cycles', cycle, '$.self', 'refused', 'refused', 'refused', 'kept'),
  row('objects with toJSON', { a: { toJSON: () => 5 } }, '$.a.toJSON', becomes('what it gives', { a: 5 }), 'refused', 'refused', 'refused'),
  row('class instances', { a: new Money() }, '$.a', becomes('plain objects', { a: { cents: 5 } }), 'refused', 'refused', 'refused'),
  row('Error, RegExp', [new TypeError('x'), /x/], '$[0]', 'refused', 'refused', 'refused', 'refused'),
  row('functions', { a: () => 1 }, '$.a', 'refused', 'refused', 'refused', 'refused'),
  row('symbols', { a: Symbol('a') }, '$.a', 'refused', 'refused', 'refused', 'refused'),
  row('half of a surrogate pair', ['\ud800'], '$[0]', 'refused', 'refused', 'refused', 'kept'),
  row('NUL in text', { a: 'x\0y' }, '$.a', 'refused', 'kept', 'kept', 'kept'),
  row('keys __proto__, constructor, prototype', JSON.parse('{"a":{"__proto__":1}}'), '$.a.__proto__', 'refused', 'refused', 'refused', 'refused'),
  row('more than 100 levels', JSON.parse('['.repeat(101) + ']'.repeat(101)), '$', 'refused', 'refused', 'refused', 'refused'),
]

/** The serializers of the table. */
export const tabled = ['json', 'msgpack', 'yaml', 'v8'] as const

/** The table as people read it. */
export const formatSerializerTable = (): string => {
  const word = (fate: Fate): string => (typeof fate === 'string' ? fate : fate.becomes)
  const lines = [
    ['', ...tabled],
    ...serializerTable.map((each) => [each.kind, ...tabled.map((name) => word(each[name]))]),
  ]
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0))) ?? []
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
