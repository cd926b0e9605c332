// What each serializer keeps, refuses or changes, by its table, and what it refuses to read.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import v8 from 'node:v8'
import { encode as msgpack } from '@msgpack/msgpack'
import fc from 'fast-check'
import { topics } from '../../cli/topics.ts'
import { Rejected, type RejectedReason } from '../../src/envelope/rejected.ts'
import { defaultLimits } from '../../src/envelope/serializers/serializer.ts'
import { type CustomSerializer, Serializers } from '../../src/envelope/serializers/serializers.ts'
import { JobqError } from '../../src/errors.ts'
import { formatSerializerTable, serializerTable, tabled } from './serializer-table.ts'

const types = {
  json: 'application/json',
  msgpack: 'application/vnd.msgpack',
  yaml: 'application/yaml',
  v8: 'application/x-v8',
}
const all = new Serializers({ accept: Object.keys(types) })

type Name = keyof typeof types

const decode = (name: Name, data: string | Uint8Array, limits = defaultLimits): unknown =>
  all.decode({ contentType: types[name], data }, limits)

const isUsage = (message: RegExp) => (error: unknown) =>
  error instanceof JobqError && error.code === 'usage' && message.test(error.message)

const isRejected =
  (reason: RejectedReason, message = /./) =>
  (error: unknown) =>
    error instanceof Rejected && error.reason === reason && message.test(error.message)

const bytes = (...items: (number | string | Uint8Array)[]): Uint8Array =>
  Buffer.concat(items.map((item) => (typeof item === 'number' ? Buffer.of(item) : Buffer.from(item))))

for (const name of tabled) {
  describe(name, () => {
    for (const row of serializerTable) {
      const fate = row[name]
      if (fate === 'refused') {
        it(`refuses ${row.kind} and names the place`, () => {
          assert.throws(
            () => all.encode(name, row.value),
            (error) => isUsage(/cannot be kept as .* at \$/)(error) && String(error).includes(`at ${row.path}`),
          )
        })
      } else {
        it(`${fate === 'kept' ? 'keeps' : 'changes'} ${row.kind}`, () => {
          const written = all.encode(name, row.value)
          assert.equal(written.contentType, types[name])
          assert.deepStrictEqual(all.decode(written, defaultLimits), fate === 'kept' ? row.value : fate.value)
        })
      }
    }
    it('keeps any text, and any JSON value that has no NUL and no reserved key', () => {
      const reserved = /"(__proto__|constructor|prototype)":|\\u0000/
      const value = fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue({ noUnicodeString: false }))
      fc.assert(
        fc.property(value, (json) => {
          const text = JSON.stringify(json)
          fc.pre(!reserved.test(text))
          assert.deepStrictEqual(decode(name, all.encode(name, JSON.parse(text)).data), JSON.parse(text))
        }),
        { numRuns: 300 },
      )
    })
    it('refuses more bytes than allowed before it reads them', () => {
      const { data } = all.encode(name, ['x'.repeat(100)])
      assert.throws(() => decode(name, data, { maxBytes: 50, maxDepth: 100 }), isRejected('too-large'))
    })
    it('keeps 100 levels and takes a lower limit', () => {
      const { data } = all.encode(name, JSON.parse('['.repeat(100) + ']'.repeat(100)))
      assert.equal(JSON.stringify(decode(name, data)).length, 200)
      assert.throws(
        () => decode(name, data, { maxBytes: 1e6, maxDepth: 99 }),
        isRejected('unreadable', /deeper than 99|maxDepth/),
      )
    })
    it('refuses nothing at all', () => {
      assert.throws(() => decode(name, types[name] === types.yaml ? '' : new Uint8Array()), isRejected('unreadable'))
    })
  })
}

const deep = (count: number): Uint8Array => new Uint8Array(count).fill(0x91)

// biome-ignore format: a table
const refusedMsgpack: readonly [name: string, data: Uint8Array, message: RegExp][] = [
  ['depth 101', bytes(deep(101), 0xc0), /deeper than 100/],
  ['a million levels', deep(1_000_000), /deeper than 100/],
  ['an array that says it has 4 thousand million', bytes(0xdd, 0xff, 0xff, 0xff, 0xff), /beyond the end, at \$$/],
  ['a map that says so', bytes(0xdf, 0xff, 0xff, 0xff, 0xff), /beyond the end/],
  ['text that says so', bytes(0x91, 0xdb, 0xff, 0xff, 0xff, 0xff, 'x'), /the end in the middle, at \$\[0\]/],
  ['binary data that says so', bytes(0xc6, 0xff, 0xff, 0xff, 0xff), /the end in the middle/],
  ['something after it', bytes(0xc0, 0xc0), /after the value/],
  ['a doubled key', bytes(0x82, 0xa1, 'a', 1, 0xa1, 'a', 2), /there before, at \$\.a/],
  ['a key of another form doubled', bytes(0x82, 0xa1, 'a', 1, 0xd9, 1, 'a', 2), /there before/],
  ['a key that is a number', bytes(0x81, 1, 1), /not text/],
  ['__proto__', bytes(0x81, 0xa1, 'a', 0x81, 0xa9, '__proto__', 0x80), /__proto__.* at \$\.a/],
  ['text that is not UTF-8', bytes(0x91, 0xa1, 0xff), /not UTF-8, at \$\[0\]/],
  ['half of a surrogate pair as UTF-8', bytes(0xa3, 0xed, 0xa0, 0x80), /not UTF-8/],
  ['2^53 as an integer', bytes(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0), /9007199254740992/],
  ['-2^63', bytes(0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0), /-9223372036854775808/],
  ['an unknown extension', bytes(0xd4, 5, 0), /extension of type 5/],
  ['a byte without meaning', bytes(0xc1), /never uses/],
  ['a timestamp with nanoseconds', bytes(0xd7, 0xff, 0, 0, 0, 4, 0, 0, 0, 0), /timestamp/],
  ['a timestamp beyond any Date', bytes(0xc7, 12, 0xff, 0, 0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0), /timestamp/],
  ['a bigint that is none', bytes(0xd4, 0x42, 'x'), /bigint/],
]

describe('msgpack from elsewhere', () => {
  for (const [name, data, message] of refusedMsgpack)
    it(`refuses ${name}`, () => assert.throws(() => decode('msgpack', data), isRejected('unreadable', message)))
  it('reads what another encoder wrote', () => {
    const value = { id: 2 ** 40, list: [1, -1, 0.5, null, true], at: new Date(5), data: Uint8Array.of(1) }
    assert.deepStrictEqual(decode('msgpack', msgpack(value)), value)
  })
  it('does not hand out the memory that it read', () => {
    const data = all.encode('msgpack', Uint8Array.of(1, 2)).data
    const value = decode('msgpack', data)
    assert.ok(value instanceof Uint8Array && typeof data !== 'string')
    data.fill(0)
    assert.deepStrictEqual(value, Uint8Array.of(1, 2))
  })
})

const laughs = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...[...'bcdefghi'].map((key, index) => `${key}: &${key} [${Array(10).fill(`*${'abcdefgh'[index]}`).join(', ')}]`),
].join('\n')

// biome-ignore format: a table
const refusedYaml: readonly [name: string, text: string | Uint8Array, message: RegExp][] = [
  ['an alias bomb', laughs, /repeating parts/],
  ['a long text repeated', `- &a ${'x'.repeat(500_000)}\n- *a\n- *a`, /repeating parts/],
  ['a cycle of aliases', '&a [*a]', /a cycle|alias/],
  ['a doubled key', 'a: 1\na: 2', /duplicat.*line 2/],
  ['__proto__', 'a:\n  __proto__: {x: 1}', /__proto__/],
  ['constructor in quotes', '{"constructor": 1}', /constructor/],
  ['a key that is a number', '1: a', /not text/],
  ['a key that is a list', '? [a]\n: 1', /not text/],
  ['an unknown tag', '!!js/function "x"', /tag/],
  ['a timestamp tag', '!!timestamp 2001-01-01', /tag/],
  ['2^53 + 1', '[9007199254740993]', /9007199254740993 would be changed.* at \$\[0\]/],
  ['2^53 + 1 in hexadecimal', 'a: 0x20000000000001', /0x20000000000001 would be changed/],
  ['too great', 'a: 1e400', /1e400 would be changed/],
  ['too great in digits', '9'.repeat(400), /would be changed/],
  ['more digits than a double has', '3.14159265358979323846', /would be changed/],
  ['half of a surrogate pair', '"\\ud800"', /surrogate/],
  ['two documents', '--- 1\n--- 2', /single document/],
  ['depth 101', '['.repeat(101) + ']'.repeat(101), /maxDepth|deeper/],
  ['a million levels', '['.repeat(1_000_000), /maxDepth|deeper/],
  ['malformed', '{a: ', /not YAML/],
  ['bytes that are not UTF-8', bytes('a: ', 0xff), /not UTF-8/],
]

describe('yaml from elsewhere', () => {
  for (const [name, text, message] of refusedYaml)
    it(`refuses ${name}`, () => assert.throws(() => decode('yaml', text), isRejected('unreadable', message)))
  it('reads the core schema, aliases and bytes', () => {
    const text = '{a: &x [1, 0x1F, 0o17, 1.5, -.inf, "2001-01-01", 2001-01-01, yes, ~, True], b: *x, c: !!str 1}'
    const list = [1, 31, 15, 1.5, Number.NEGATIVE_INFINITY, '2001-01-01', '2001-01-01', 'yes', null, true]
    assert.deepStrictEqual(decode('yaml', Buffer.from(text)), { a: list, b: list, c: '1' })
  })
})

const far = bytes(0xfe, 0xff, 0xff, 0xff, 0x0f)
const clone = (...items: (number | string | Uint8Array)[]): Uint8Array => bytes(0xff, 0x0f, ...items)

/** Lists that each hold the one before: each is near the top once, but the last is deep. */
const chain = (length: number): unknown[] => {
  const lists: unknown[][] = [[]]
  while (lists.length < length) lists.push([lists.at(-1)])
  return lists
}

describe('v8 from elsewhere', () => {
  const refused: readonly [name: string, data: Uint8Array, message: RegExp][] = [
    ['an array of 4 thousand million holes', clone('a', far, '@', 0, far), /beyond the end/],
    ['an array with holes', v8.serialize(Object.assign(new Array(9), { 8: 1 })), /hole|beyond/],
    [
      'arrays that lie inside each other',
      clone(...Array(50).fill(['A', 100]).flat(), new Uint8Array(100)),
      /middle|kind|end/,
    ],
    ['101 levels', v8.serialize(JSON.parse('['.repeat(101) + ']'.repeat(101))), /deeper than 100/],
    ['100 levels by references', v8.serialize(chain(150)), /deeper than 100/],
    ['a resizable ArrayBuffer', clone('~', 0, far), /kind/],
    ['something after the value', bytes(v8.serialize(1), 0), /after the value/],
    ['a RegExp', v8.serialize([/x/]), /kind "R"/],
    ['an own __proto__', v8.serialize(JSON.parse('{"__proto__":1}')), /__proto__/],
    ['bytes cut short', v8.serialize({ a: 'x'.repeat(20) }).subarray(0, -8), /./],
  ]
  for (const [name, data, message] of refused)
    it(`refuses ${name}`, () => assert.throws(() => decode('v8', data), isRejected('unreadable', message)))
})

const hex: CustomSerializer = {
  contentType: 'text/x-hex',
  encode: (value) => Buffer.from(JSON.stringify(value)).toString('hex'),
  decode(data) {
    assert.equal(typeof data, 'string')
    return JSON.parse(Buffer.from(String(data), 'hex').toString())
  },
}

describe('Serializers', () => {
  it('reads json, msgpack and yaml unless told otherwise, never v8 unless named', () => {
    const usual = new Serializers()
    for (const name of ['json', 'msgpack', 'yaml'])
      assert.deepEqual(usual.decode(usual.encode(name, [1]), defaultLimits), [1])
    assert.throws(() => usual.decode(usual.encode('v8', [1]), defaultLimits), isRejected('not-accepted', /accept/))
    const picky = new Serializers({ accept: ['application/yaml', 'v8'] })
    assert.deepEqual(picky.decode(picky.encode('v8', [1]), defaultLimits), [1])
    assert.throws(() => picky.decode(picky.encode('json', 1), defaultLimits), isRejected('not-accepted'))
  })
  it('names what is unknown', () => {
    assert.throws(() => all.encode('jsn', 1), isUsage(/no serializer "jsn"; did you mean json\?/))
    assert.throws(() => new Serializers({ accept: ['pickle'] }), isUsage(/"pickle"/))
    assert.throws(
      () => all.decode({ contentType: 'application/x-python-serialize', data: '' }, defaultLimits),
      isRejected('unknown-codec', /application\/x-python-serialize/),
    )
  })
  it('hands a custom serializer text where it gave text, even as bytes', () => {
    const own = new Serializers({ custom: { hex } })
    const { contentType, data } = own.encode('hex', { a: 1 })
    assert.equal(contentType, 'text/x-hex; charset=utf-8')
    for (const form of [data, Buffer.from(data)])
      assert.deepEqual(own.decode({ contentType, data: form }, defaultLimits), { a: 1 })
  })
  it('keeps a custom serializer to the limits', () => {
    const bomb = { ...hex, decode: () => Array.from({ length: 1000 }, () => 'x'.repeat(1000)) }
    const own = new Serializers({ custom: { bomb } })
    assert.throws(
      () => own.decode(own.encode('bomb', 1), { maxBytes: 100_000, maxDepth: 100 }),
      isRejected('too-large'),
    )
    const broken = { ...hex, decode: () => JSON.parse('{') }
    const other = new Serializers({ custom: { broken } })
    assert.throws(() => other.decode(other.encode('broken', 1), defaultLimits), isRejected('unreadable'))
  })
  it('refuses a custom serializer that is none', () => {
    assert.throws(() => new Serializers({ custom: { json: hex } }), isUsage(/serializers\.json: .*built in/))
    assert.throws(() => new Serializers({ custom: { x: { ...hex, contentType: 'x' } } }), isUsage(/x\.contentType/))
    assert.throws(
      () => new Serializers({ custom: { x: { ...hex, contentType: 'application/json' } } }),
      isUsage(/already/),
    )
    assert.throws(
      () => new Serializers({ accept: ['jsn'] }),
      isUsage(/^accept: no serializer "jsn"; did you mean json/),
    )
  })
  it('names the function of a custom serializer that throws', () => {
    const failing = new Serializers({ custom: { x: { ...hex, encode: () => JSON.parse('{') } } })
    assert.throws(() => failing.encode('x', 1), isUsage(/^serializers\.x\.encode: /))
  })
  it('has its table in the help', () => {
    for (const line of formatSerializerTable().split('\n'))
      assert.ok(topics.serializers.includes(line), `jobq help serializers lacks: ${line}`)
  })
})
