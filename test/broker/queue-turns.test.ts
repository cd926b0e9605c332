import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { QueueTurns, type ReadyQueue } from '../../src/broker/sqlite/queue-turns.ts'

/** Takes again and again from queues that hold so many rows, which nobody refills; answers how many each gave. */
const takeOften = (
  turns: QueueTurns,
  queues: readonly (ReadyQueue & { readonly rows: number })[],
  { limit, times }: { readonly limit: number; readonly times: number },
): number[] => {
  const left = new Map(queues.map(({ id, rows }) => [id, rows]))
  const given = new Map(queues.map(({ id }) => [id, 0]))
  for (let time = 0; time < times; time += 1) {
    const ready = queues.filter(({ id }) => (left.get(id) ?? 0) > 0)
    const rows = turns.take(ready, limit, (id, most) => {
      const there = left.get(id) ?? 0
      left.set(id, Math.max(0, there - most))
      return Array<number>(Math.min(most, there)).fill(id)
    })
    for (const id of rows) given.set(id, (given.get(id) ?? 0) + 1)
  }
  return queues.map(({ id }) => given.get(id) ?? 0)
}

const many = 1_000_000
const weighted = (...rows: readonly (readonly [weight: number, rows: number])[]) =>
  rows.map(([weight, rows], index) => ({ id: index + 1, weight, rows, strict: false }))
const strict = (...rows: readonly number[]) =>
  rows.map((rows, index) => ({ id: index + 1, weight: 1, rows, strict: true }))

const cases: readonly (readonly [
  what: string,
  queues: ReturnType<typeof weighted>,
  take: { readonly limit: number; readonly times: number },
  given: readonly number[],
])[] = [
  ['one queue gives all', weighted([1, many]), { limit: 7, times: 3 }, [21]],
  ['equal weights share evenly, one at a time', weighted([1, many], [1, many]), { limit: 1, times: 100 }, [50, 50]],
  ['equal weights share evenly, many at once', weighted([1, many], [1, many]), { limit: 1_000, times: 1 }, [500, 500]],
  ['5:1 holds one at a time', weighted([5, many], [1, many]), { limit: 1, times: 600 }, [500, 100]],
  ['5:1 holds two at a time', weighted([5, many], [1, many]), { limit: 2, times: 300 }, [500, 100]],
  ['5:1 holds a thousand at a time', weighted([5, many], [1, many]), { limit: 1_000, times: 6 }, [5_000, 1_000]],
  [
    'a weight of 1 in 1000 gets its turn one at a time',
    weighted([999, many], [1, many]),
    { limit: 1, times: 2_000 },
    [1_998, 2],
  ],
  ['what one queue leaves goes to the others', weighted([1, 10], [1, many]), { limit: 1_000, times: 1 }, [10, 990]],
  ['leftovers go to whoever has them', weighted([8, 1], [1, 500], [1, 20]), { limit: 521, times: 1 }, [1, 500, 20]],
  [
    'leftovers are no more than was asked for',
    weighted([1, 1], [1, 100], [1, 100]),
    { limit: 12, times: 1 },
    [1, 7, 4],
  ],
  ['less than asked for gives all there is', weighted([3, 2], [1, 3]), { limit: 100, times: 1 }, [2, 3]],
  ['strict empties the first before the next', strict(5, many), { limit: 4, times: 3 }, [5, 7]],
  ['strict goes on within one take', strict(2, 3, many), { limit: 10, times: 1 }, [2, 3, 5]],
  ['nothing is asked for', weighted([1, many], [1, many]), { limit: 0, times: 3 }, [0, 0]],
]

describe('turns of queues', () => {
  for (const [what, queues, take, given] of cases) {
    it(what, () => assert.deepEqual(takeOften(new QueueTurns(), queues, take), given))
  }

  it('come in the order given for one take', () => {
    const rows = new QueueTurns().take(strict(many, many), 3, (id, most) => Array(most).fill(id))
    assert.deepEqual(rows, [1, 1, 1])
  })

  it('saves no credit for a queue that was empty', () => {
    const turns = new QueueTurns()
    takeOften(turns, weighted([1, many], [9, 0]), { limit: 1, times: 1_000 })
    assert.deepEqual(takeOften(turns, weighted([1, many], [9, many]), { limit: 1, times: 100 }), [10, 90])
  })

  it('never give more than asked for, nor less while there is more, and starve nobody', () => {
    const scene = fc.record({
      weights: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }),
      limits: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }),
    })
    fc.assert(
      fc.property(scene, ({ weights, limits }) => {
        const turns = new QueueTurns()
        const queues = weights.map((weight, index) => ({ id: index, weight, strict: false }))
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        const given = weights.map(() => 0)
        let asked = 0
        for (const limit of limits) {
          const rows = turns.take(queues, limit, (id, most) => Array<number>(most).fill(id))
          assert.equal(rows.length, limit)
          asked += limit
          for (const id of rows) given[id] = (given[id] ?? 0) + 1
          for (const [index, weight] of weights.entries()) {
            const due = (asked * weight) / total
            assert.ok(Math.abs((given[index] ?? 0) - due) <= weights.length, `${given} of ${asked} for ${weights}`)
          }
        }
      }),
    )
  })
})
