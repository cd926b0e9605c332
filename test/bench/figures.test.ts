import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median, quantile, type RowPlan, toRow } from './figures.ts'

const plan: RowPlan = {
  what: 'jobs',
  figure: 'own',
  unit: 'jobs/s',
  against: { figure: 'floor', name: 'the floor' },
  goal: { of: 'ratio', atLeast: 0.5 },
  durability: 'FULL',
}

test('a median lies in the middle, whatever the order', () => {
  assert.equal(median([10, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
})

test('a quantile is interpolated between its neighbours', () => {
  assert.equal(quantile([0, 10, 20, 30, 40], 0.25), 10)
  assert.equal(quantile([0, 10], 0.99), 9.9)
})

test('the ratio is taken within each round, not between medians', () => {
  const rounds = [
    { own: 10, floor: 100 },
    { own: 60, floor: 100 },
    { own: 90, floor: 1_000 },
  ]
  const row = toRow('W1', plan, rounds)
  assert.equal(row.figure, 60)
  assert.equal(row.other, 100)
  assert.equal(row.ratio, 0.1)
  assert.equal(row.met, false)
})

test('a goal is met at its bound', () => {
  assert.equal(toRow('W1', plan, [{ own: 50, floor: 100 }]).met, true)
  const atMost: RowPlan = {
    what: 'wait',
    figure: 'own',
    unit: 'ms',
    goal: { of: 'figure', atMost: 4 },
    durability: '-',
  }
  assert.equal(toRow('W3', atMost, [{ own: 4 }]).met, true)
  assert.equal(toRow('W3', atMost, [{ own: 4.1 }]).met, false)
})

test('a figure that a round does not have is an error', () => {
  assert.throws(() => toRow('W1', plan, [{ own: 1 }]), /no figure is called floor/)
})
