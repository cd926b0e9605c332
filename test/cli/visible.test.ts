import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { visible, visibleJson, visibleLines } from '../../cli/visible.ts'

const obeyed = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

const table: readonly (readonly [string, string])[] = [
  ['plain, ümläut, 日本語, 👩‍👩‍👧', 'plain, ümläut, 日本語, 👩‍👩‍👧'],
  ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['\u009b31m', '\\x9b31m'],
  ['a\rb', 'a\\rb'],
  ['a\nb\tc', 'a\\nb\\tc'],
  ['\u0000\u0007\u0008\u007f', '\\x00\\x07\\x08\\x7f'],
  ['user\u202egnp.exe', 'user\\u202egnp.exe'],
  ['\u2066\u2069\u200f\u061c', '\\u2066\\u2069\\u200f\\u061c'],
  ['a\u2028b\ufeff\u200b', 'a\\u2028b\\ufeff\\u200b'],
  ['\ud800', '\\ud800'],
  ['\u{e0041}', '\\udb40\\udc41'],
]

describe('visible', () => {
  for (const [text, shown] of table) it(`shows ${shown}`, () => assert.equal(visible(text), shown))
  it('leaves nothing that a terminal obeys', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.doesNotMatch(visible(text), obeyed)))
  })
  it('keeps line breaks and tabs where lines are wanted', () => {
    assert.equal(visibleLines('a\n\tb\r\u001b'), 'a\n\tb\\r\\x1b')
  })
})

describe('visibleJson', () => {
  it('means the same, and leaves nothing that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = visibleJson(JSON.stringify({ text }))
        assert.deepEqual(JSON.parse(json), { text })
        assert.doesNotMatch(json, obeyed)
      }),
    )
  })
})
