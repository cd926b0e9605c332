// JSON that changes nothing silently: what is kept, what is refused and where, and that both directions agree.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { JobqError } from '../src/errors.ts'
import { checkJsonText, decodeJson, encodeJson } from '../src/json.ts'

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const cyclic: { self?: unknown; list: unknown[] } = { list: [] }
cyclic.list.push({ again: cyclic.list })

const kept: [name: string, value: unknown, text: string][] = [
  ['null', null, 'null'],
  ['text', 'ä\n"', '"ä\\n\\""'],
  ['a whole surrogate pair', '😀', '"😀"'],
  ['an undefined property vanishes', { a: undefined, b: 1 }, '{"b":1}'],
  ['a date as its ISO text', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
  ['toJSON', { money: { toJSON: () => ({ cents: 5 }) } }, '{"money":{"cents":5}}'],
  ['one object in two places', [cyclic.list.length, ...[{ a: 1 }].flatMap((x) => [x, x])], '[1,{"a":1},{"a":1}]'],
  [
    'a class instance as its own properties',
    new (class {
      x = 1
    })(),
    '{"x":1}',
  ],
  ['the largest exact integers', [2 ** 53, -(2 ** 53)], '[9007199254740992,-9007199254740992]'],
  ['a great double', 1e300, '1e+300'],
  ['an empty key', { '': 1 }, '{"":1}'],
  ['depth 100', JSON.parse(nested(100)), nested(100)],
]

const refusedValues: [name: string, value: unknown, message: RegExp][] = [
  ['undefined alone', undefined, /undefined .* at \$$/],
  ['undefined in an array', { a: [1, undefined] }, /undefined .* at \$\.a\[1\]$/],
  ['a hole in an array', new Array(2), /undefined .* at \$\[0\]$/],
  ['NaN', { x: { y: Number.NaN } }, /NaN .* at \$\.x\.y$/],
  ['Infinity', [Number.POSITIVE_INFINITY], /Infinity .* at \$\[0\]$/],
  ['a boxed NaN', [new Number(Number.NaN)], /NaN/],
  ['bigint', { n: 1n }, /bigint .* at \$\.n$/],
  ['a boxed bigint', { n: Object(1n) }, /BigInt .* at \$\.n$/],
  ['a Buffer', { data: Buffer.from('x') }, /binary data .* at \$\.data$/],
  ['a Uint8Array', new Uint8Array(2), /binary data .* at \$$/],
  ['an ArrayBuffer', { b: new ArrayBuffer(2) }, /ArrayBuffer .* at \$\.b$/],
  ['a Map', { m: new Map([[1, 2]]) }, /Map .* at \$\.m$/],
  ['a Set', [new Set([1])], /Set .* at \$\[0\]$/],
  ['an Error', [new TypeError('x')], /Error .* at \$\[0\]$/],
  ['a function', { f: () => 1 }, /function .* at \$\.f$/],
  ['a symbol', { s: Symbol('s') }, /symbol .* at \$\.s$/],
  ['an invalid date', { at: new Date(Number.NaN) }, /invalid date .* at \$\.at$/],
  ['a cycle', cyclic, /cycle .* at \$\.list\[0\]\.again$/],
  ['depth 101', JSON.parse(nested(101)), /deeper than 100/],
  ['a lone surrogate', ['\ud800'], /surrogate .* at \$\[0\]$/],
  ['a lone surrogate in a key', { '\udc00': 1 }, /surrogate/],
  ['NUL', { a: 'x\0y' }, /NUL .* at \$\.a$/],
  ['__proto__', JSON.parse('{"a":{"__proto__":{}}}'), /__proto__.* at \$\.a\.__proto__$/],
  ['constructor', { constructor: 1 }, /constructor/],
  ['prototype', [{ prototype: 1 }], /prototype.* at \$\[0\]\.prototype$/],
  ['an odd key', { 'a b': [Number.NaN] }, /at \$\["a b"\]\[0\]$/],
]

const refusedTexts: [name: string, text: string, message: RegExp][] = [
  ['nothing', '', /not JSON/],
  ['malformed', '{"a":}', /not JSON/],
  ['single quotes', "{'a':1}", /not JSON/],
  ['a comment', '{} // x', /not JSON/],
  ['NaN', '[NaN]', /not JSON/],
  ['depth 101', nested(101), /deeper than 100/],
  ['depth 200,000', nested(200_000), /deeper than 100/],
  ['an escaped lone surrogate', '{"a":"\\ud800"}', /surrogate .* at \$\.a$/],
  ['an escaped NUL', '["\\u0000"]', /NUL .* at \$\[0\]$/],
  ['__proto__', '{"__proto__":1}', /__proto__/],
  ['__proto__ in escapes', '{"\\u005f_proto__":1}', /__proto__/],
  ['2^53 + 1', '{"id":[9007199254740993]}', /9007199254740993 .* at \$\.id\[0\]$/],
  ['-(2^53 + 1)', '-9007199254740993', /9007199254740993/],
  ['an integer written as a fraction', '9007199254740993.0', /9007199254740993/],
  ['a snowflake id', '{"id":1234567890123456789}', /1234567890123456789/],
  ['too great', '[1e400]', /Infinity .* at \$\[0\]$/],
  ['too great in digits', '1' + '0'.repeat(400), /Infinity/],
  ['too small', '1e-400', /1e-400/],
  ['more digits than a double has', '3.14159265358979323846', /would be changed/],
  ['a million digits', `0.${'7'.repeat(1_000_000)}`, /would be changed/],
]

// biome-ignore format: a table
const keptTexts = [
  '0', '-0', '0.0', '1.50', '1e5', '1E+5', '-12.5e-3', '9007199254740992', '9007199254740991', '1152921504606847000',
  '0.1', '0.10000000000000001', '1e300', '5e-324', '1.7976931348623157e308', '100000000000000000000', '[1, 2 ,3]',
  '{"a":"9007199254740993"}', '{"1e400":"1e400"}', ' null\n',
]

const isUsage = (message: RegExp) => (error: unknown) =>
  error instanceof JobqError && error.code === 'usage' && message.test(error.message)

describe('encodeJson', () => {
  for (const [name, value, text] of kept) it(`keeps ${name}`, () => assert.equal(encodeJson(value), text))
  for (const [name, value, message] of refusedValues) {
    it(`refuses ${name}`, () => assert.throws(() => encodeJson(value), isUsage(message)))
  }
  it('writes only text that decodeJson reads back to the same', () => {
    const value = fc.jsonValue({ noUnicodeString: false })
    fc.assert(
      fc.property(value, (json) => {
        let text: string
        try {
          text = encodeJson(json)
        } catch (error) {
          return isUsage(/key|NUL|surrogate|deeper/)(error)
        }
        assert.equal(text, JSON.stringify(json))
        assert.deepEqual(decodeJson(text), JSON.parse(text))
        return true
      }),
    )
  })
  it('writes every finite double so that it is read back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        assert.equal(decodeJson(encodeJson(number)), number === 0 ? 0 : number)
      }),
    )
  })
})

describe('decodeJson and checkJsonText', () => {
  for (const [name, text, message] of refusedTexts) {
    it(`refuse ${name}`, () => {
      assert.throws(() => decodeJson(text), isUsage(message))
      assert.throws(() => checkJsonText(text), isUsage(message))
    })
  }
  for (const text of keptTexts) {
    it(`keep ${JSON.stringify(text)}`, () => {
      assert.deepEqual(decodeJson(text), JSON.parse(text))
      assert.equal(checkJsonText(text), text)
    })
  }
  it('accept an integer exactly when its digits survive', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 21n) + 1n, 10n ** 21n - 1n), (integer) => {
        const text = String(integer)
        if (String(Number(text)) === text) assert.equal(decodeJson(text), Number(text))
        else assert.throws(() => decodeJson(text), isUsage(/would be changed/))
      }),
      { numRuns: 500 },
    )
  })
  it('never let an object be read with another prototype', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', '__proto__', 'constructor'), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object)
        const keys = new Set(text.match(/"(__proto__|constructor)":/g))
        if (keys.size > 0) assert.throws(() => decodeJson(text), isUsage(/key/))
      }),
    )
  })
})
