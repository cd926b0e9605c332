import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Pace } from '../../src/worker/pace.ts'

/** A pace that has seen jobs of one task take so long. */
const paceOf = (...runMs: readonly number[]): Pace => {
  const pace = new Pace()
  for (const each of runMs) pace.observe('task', each)
  return pace
}

describe('the window', () => {
  const windows: readonly (readonly [runMs: number, window: number, ahead: number])[] = [
    [0, 1_024, 1_024],
    [0.001, 1_024, 1_024],
    [0.1, 120, 120],
    [1, 12, 12],
    [5, 3, 3],
    [12, 1, 1],
    [500, 1, 1],
    [1_000, 1, 0],
    [3_600_000, 1, 0],
  ]
  for (const [runMs, window, ahead] of windows) {
    it(`is ${window} and ${ahead} ahead where jobs take ${runMs} ms`, () => {
      const pace = paceOf(...Array<number>(50).fill(runMs))
      assert.deepEqual([pace.window, pace.ahead], [window, ahead])
    })
  }

  it('is one job, and none ahead, while nothing is known', () => {
    const pace = new Pace()
    assert.deepEqual([pace.window, pace.ahead, pace.expected('task')], [1, 0, Number.POSITIVE_INFINITY])
  })

  it('shrinks when jobs become long, and grows again', () => {
    const short = Array<number>(100).fill(0.05)
    const long = Array<number>(100).fill(2_000)
    const pace = paceOf(...short)
    assert.equal(pace.window, 240)
    for (const each of long) pace.observe('task', each)
    assert.deepEqual([pace.window, pace.ahead], [1, 0])
    for (const each of Array<number>(300).fill(0.05)) pace.observe('task', each)
    assert.ok(pace.window > 200)
  })
})

describe('room in a child', () => {
  const rooms: readonly (readonly [expectedMs: number, jobs: number, room: boolean])[] = [
    [0, 0, true],
    [1e9, 0, true],
    [11, 1, true],
    [12, 1, false],
    [Number.POSITIVE_INFINITY, 1, false],
    [0, 1_023, true],
    [0, 1_024, false],
  ]
  for (const [expectedMs, jobs, room] of rooms) {
    it(`is ${room ? '' : 'not '}there with ${jobs} jobs of ${expectedMs} ms together`, () =>
      assert.equal(new Pace().hasRoom(expectedMs, jobs), room))
  }

  it('is kept by each task for itself', () => {
    const pace = new Pace()
    pace.observe('short', 0.1)
    pace.observe('long', 9_000)
    assert.deepEqual([pace.expected('short'), pace.expected('long')], [0.1, 9_000])
    pace.observe('short', 0.5)
    assert.ok(Math.abs(pace.expected('short') - 0.2) < 1e-9)
  })
})
