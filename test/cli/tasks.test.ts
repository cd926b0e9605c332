import assert from 'node:assert/strict'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { Workspace } from '../support/cli.ts'

const examples = path.join(import.meta.dirname, '..', '..', 'examples', 'tasks')

describe('jobq tasks', () => {
  const workspace = new Workspace()
  after(() => workspace.remove())

  test('lists the examples with their options, all of which load', async () => {
    const tasks = (await workspace.json(['tasks', '--tasks', examples, '--check'])) as Record<string, unknown>[]
    assert.deepEqual(
      tasks.map(({ name, kind }) => [name, kind]),
      [
        ['checksum', 'executable'],
        ['greet', 'module'],
        ['mail/send', 'module'],
        ['measure', 'executable'],
        ['words', 'module'],
      ],
    )
    const { file, ...mail } = tasks[2] ?? {}
    assert.equal(file, path.join(examples, 'mail', 'send.ts'))
    assert.deepEqual(mail, {
      ...{ name: 'mail/send', kind: 'module', queue: 'mail', priority: 7, retries: 5, validated: true },
      ...{ backoff: 'exponential:2s..10m', expiresMs: 86_400_000 },
    })
  })

  test('tells what does not load; --check makes that exit code 1', async () => {
    workspace.write('tasks/good.js', 'export default () => 1')
    workspace.write('tasks/bad.ts', 'export default () => 1\n\nthrow new Error("no key")\n')
    const plain = await workspace.run(['tasks', '--quiet'])
    assert.deepEqual([plain.code, plain.stdout], [0, 'good\n'])
    assert.match(plain.stderr, /^jobq: tasks\/bad\.ts:3: no key$/m)
    const checked = await workspace.run(['tasks', '--check'])
    assert.equal(checked.code, 1)
    assert.match(checked.stdout, /^good\tmodule\t/)
  })

  test('a task that ends its process is told, not fatal to the terminal', async () => {
    workspace.write('deadly/end.js', 'process.exit(7)')
    const { code, stdout, stderr } = await workspace.run(['tasks', '-t', 'deadly'])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /did not live to tell/)
  })

  test('a path that is not there is told', async () => {
    const { code, stderr } = await workspace.run(['tasks', '-t', 'nowhere', '--check'])
    assert.equal(code, 1)
    assert.match(stderr, /nowhere: there is no such file or folder/)
  })
})

describe('jobq steps', () => {
  const workspace = new Workspace()
  after(() => workspace.remove())

  test('prints each step behind those that it requires', async () => {
    const steps = (await workspace.json(['steps'])) as {
      name: string
      requires: string[]
      state: string
      reason: string | null
    }[]
    const names = steps.map(({ name }) => name)
    for (const { name, requires } of steps) {
      for (const required of requires) assert.ok(names.indexOf(required) < names.indexOf(name), `${required} ${name}`)
    }
    for (const name of ['broker', 'tasks', 'pool', 'leases', 'dispatcher', 'pruner', 'presence']) {
      assert.ok(names.includes(name), name)
    }
    const piped = await workspace.output(['steps'])
    const lines = steps.map(
      ({ name, requires, state, reason }) => `${name}\t${requires.join(', ')}\tbuilt-in\t${state}\t${reason ?? ''}\n`,
    )
    assert.equal(piped, lines.join(''))
  })

  test('--dot prints the same as a graph', async () => {
    const dot = await workspace.output(['steps', '--dot'])
    assert.match(dot, /^digraph steps \{\n[\s\S]*\n {2}"dispatcher" -> "pool"\n[\s\S]*\}\n$/)
  })
})
