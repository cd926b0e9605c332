import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { inOrder, type Node, toDot } from '../../src/boot/order.ts'

const names = (nodes: readonly Node[]): string[] => nodes.map(({ name }) => name)

describe('the order of steps', () => {
  it('is as given where nothing requires another', () => {
    const nodes = ['c', 'a', 'b'].map((name) => ({ name, requires: [] }))
    assert.deepEqual(names(inOrder(nodes)), ['c', 'a', 'b'])
  })

  it('has every step once, behind all that it requires, whatever the graph', () => {
    const graph = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 12 }).chain((edges) => {
      const nodes = edges.map((to, index) => ({
        name: `n${index}`,
        requires: index === 0 ? [] : to.map((each) => `n${each % index}`),
      }))
      return fc.shuffledSubarray(nodes, { minLength: nodes.length })
    })
    fc.assert(
      fc.property(graph, (nodes) => {
        const ordered = names(inOrder(nodes))
        assert.deepEqual(ordered.toSorted(), names(nodes).toSorted())
        for (const { name, requires } of nodes) {
          for (const required of requires) assert.ok(ordered.indexOf(required) < ordered.indexOf(name))
        }
      }),
    )
  })

  it('names what is not there', () => {
    assert.throws(() => inOrder([{ name: 'a', requires: ['ghost'] }]), { message: /'a' requires 'ghost'/ })
  })
})

describe('the graph in DOT', () => {
  const dot = toDot([
    { name: 'pool', requires: ['broker', 'tasks'] },
    { name: 'tasks', requires: ['broker'] },
    { name: 'broker', requires: [] },
  ])

  it('has a node a step and an arrow a requirement', () => {
    assert.deepEqual(dot.split('\n'), [
      'digraph steps {',
      '  "pool"',
      '  "tasks"',
      '  "broker"',
      '  "pool" -> "broker"',
      '  "pool" -> "tasks"',
      '  "tasks" -> "broker"',
      '}',
    ])
  })

  const graphviz = spawnSync('dot', ['-V']).error === undefined
  it('is what Graphviz reads', { skip: graphviz ? false : 'no dot here' }, () => {
    const { status, stderr } = spawnSync('dot', ['-Tplain'], { input: dot, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  })
})
