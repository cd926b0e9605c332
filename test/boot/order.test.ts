import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toDot, toTree } from '../../src/boot/graph.ts'
import { inOrder, type Node } from '../../src/boot/order.ts'

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

const node = (
  name: string,
  requires: readonly string[],
  more: { provides?: string; before?: readonly string[]; own?: boolean; out?: boolean } = {},
) => ({
  name,
  requires,
  provides: more.provides ?? name,
  before: more.before ?? [],
  origin: more.own === true ? ('user' as const) : ('built-in' as const),
  state: more.out === true ? ('left out' as const) : ('planned' as const),
})

describe('the graph in DOT', () => {
  const dot = toDot([
    node('pool', ['broker', 'tasks']),
    node('tasks', ['broker']),
    node('redis', [], { provides: 'broker', before: ['tasks'], own: true }),
    node('broker', [], { out: true }),
  ])

  it('has a node a step and an arrow a requirement', () => {
    assert.deepEqual(dot.split('\n'), [
      'digraph steps {',
      '  "pool" [label="pool\\nplanned"]',
      '  "tasks" [label="tasks\\nplanned"]',
      '  "redis" [label="redis\\nplanned", shape=box]',
      '  "broker" [label="broker\\nleft out", style=dashed]',
      '  "pool" -> "redis"',
      '  "pool" -> "tasks"',
      '  "tasks" -> "redis"',
      '  "tasks" -> "redis" [style=dotted]',
      '}',
    ])
  })

  const graphviz = spawnSync('dot', ['-V']).error === undefined
  it('is what Graphviz reads', { skip: graphviz ? false : 'no dot here' }, () => {
    const { status, stderr } = spawnSync('dot', ['-Tplain'], { input: dot, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  })
})

describe('the graph as a tree', () => {
  it('has under each step what it requires, and the requirements of each once', () => {
    const lines = toTree([
      node('broker', []),
      node('tasks', ['broker']),
      node('pool', ['broker', 'tasks']),
      node('dispatcher', ['pool', 'tasks']),
      node('pruner', ['broker']),
    ])
    assert.deepEqual(
      lines.map(({ prefix, step, again }) => `${prefix}${step.name}${again ? ' …' : ''}`),
      ['dispatcher', '├─ pool', '│  ├─ broker', '│  └─ tasks', '│     └─ broker', '└─ tasks …', 'pruner', '└─ broker'],
    )
  })
})
