import assert from 'node:assert/strict'
import { it } from 'node:test'
import { nearest } from '../../src/nearest.ts'

const words = ['worker', 'tasks', 'retention', 'maxPayload']
const table: readonly (readonly [string, string | null])[] = [
  ['worker', 'worker'],
  ['Worker', 'worker'],
  ['wokrer', 'worker'],
  ['task', 'tasks'],
  ['retentoin', 'retention'],
  ['maxpaylod', 'maxPayload'],
  ['x', null],
  ['something', null],
  ['', null],
]
for (const [word, meant] of table) it(`${word} means ${meant}`, () => assert.equal(nearest(word, words), meant))
