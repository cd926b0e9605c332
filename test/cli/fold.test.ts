import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../../cli/fold.ts'
import { topics } from '../../cli/topics.ts'

test('lays paragraphs out again, and keeps lists', () => {
  const text = 'One two three\nfour five.\n\n   78  it cannot be used\n  124  late\n'
  assert.equal(fold(text, 14), 'One two three\nfour five.\n\n   78  it\n       cannot\n       be used\n  124  late\n')
  assert.equal(fold(text, 80), 'One two three four five.\n\n   78  it cannot be used\n  124  late\n')
})

test('a word that is too long has a line of its own, unbroken', () => {
  assert.equal(fold('see https://example.org/ there', 10), 'see\nhttps://example.org/\nthere')
})

test('no topic is wider than the terminal, nor loses a word', () => {
  for (const text of Object.values(topics)) {
    const folded = fold(text, 80)
    for (const line of folded.split('\n')) assert.ok(line.length <= 80, line)
    assert.deepEqual(folded.split(/\s+/), text.split(/\s+/))
  }
})
