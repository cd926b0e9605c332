import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { JobqError } from '../../src/errors.ts'
import { checkName } from '../../src/name.ts'
import { refusesWithUsage } from './refuses.ts'

describe('checkName', () => {
  for (const name of ['a', 'mail/send', 'eu-1:media.large_2', 'a..b', '...', 'x'.repeat(128)]) {
    it(`takes ${name.slice(0, 20)}`, () => assert.equal(checkName('queue', name), name))
  }
  const refused = [
    '',
    ' ',
    'a b',
    '/etc/passwd',
    '..',
    '../x',
    'a/../b',
    'a/..',
    'é',
    'a\u0000',
    'a\n',
    '\u001b[31m',
    '\u202e',
    'a\\b',
    'x'.repeat(129),
    5,
    null,
    undefined,
    {},
  ]
  for (const name of refused)
    it(`refuses ${JSON.stringify(name)}`, () => refusesWithUsage(() => checkName('queue', name), name))
  it('says what the name was for', () => assert.throws(() => checkName('tag', '?'), /tag/))

  it('gives the value back or throws a usage error, and never shows a control character', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.anything().filter((value) => typeof value !== 'object'),
        ),
        (value) => {
          try {
            assert.equal(checkName('task', value), value)
          } catch (error) {
            assert.ok(error instanceof JobqError && error.code === 'usage', String(error))
          }
        },
      ),
    )
  })
})
