import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { boot } from '../../src/boot/boot.ts'
import { type Step, stepsFor } from '../../src/boot/step.ts'

interface Parts {
  readonly base: string
  readonly left: string
  readonly right: string
  readonly top: string
}

const step = stepsFor<Parts>()
const fail = (): never => {
  throw new Error('no')
}

/** Four steps, `top` on `left` and `right` on `base`, given in no order; what they do goes into `done`. */
const diamond = (done: string[], changed: Partial<Record<keyof Parts, Partial<Step<Parts>>>> = {}): Step<Parts>[] => {
  const noted = <Name extends keyof Parts>(name: Name, requires: readonly (keyof Parts)[]): Step<Parts> => ({
    name,
    requires,
    start: () => {
      done.push(`start ${name}`)
      return name
    },
    drain: (component) => void done.push(`drain ${component}`),
    stop: (component) => void done.push(`stop ${component}`),
    ...changed[name],
  })
  return [noted('top', ['left', 'right']), noted('right', ['base']), noted('left', ['base']), noted('base', [])]
}

const never = (name: string, error: unknown): never => assert.fail(`${name}: ${error}`)

describe('boot', () => {
  it('starts each step after all that it requires, and gives it what they gave', async () => {
    const seen: unknown[] = []
    const { components, steps } = await boot<Parts>(
      [
        step({
          name: 'top',
          requires: ['left', 'base'],
          start: ({ left, base }) => {
            seen.push([left, base])
            return 'top'
          },
        }),
        step({ name: 'left', requires: ['base'], start: async ({ base }) => `left of ${base}` }),
        step({ name: 'base', requires: [], start: () => 'the base' }),
      ],
      never,
    )
    assert.deepEqual(seen, [['left of the base', 'the base']])
    assert.deepEqual(
      steps.map(({ name }) => name),
      ['base', 'left', 'top'],
    )
    assert.equal(components.left, 'left of the base')
  })

  it('stops in two rounds, each in reverse', async () => {
    const done: string[] = []
    const { stop } = await boot(diamond(done), never)
    const started = done.splice(0)
    assert.deepEqual(started, ['start base', 'start left', 'start right', 'start top'])
    await stop()
    assert.deepEqual(done, [
      ...['drain top', 'drain right', 'drain left', 'drain base'],
      ...['stop top', 'stop right', 'stop left', 'stop base'],
    ])
  })

  it('waits for each step of a stop before the next', async () => {
    const done: string[] = []
    const slow = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      done.push('drain top, slowly')
    }
    const { stop } = await boot(diamond(done, { top: { drain: slow } }), never)
    await stop()
    assert.deepEqual(done.slice(4, 6), ['drain top, slowly', 'drain right'])
  })

  it('tells of steps that throw while it stops, and goes on to the others', async () => {
    const done: string[] = []
    const told: string[] = []
    const changed = { right: { drain: fail }, left: { stop: () => Promise.reject(new Error('not I')) } }
    const { stop } = await boot(diamond(done, changed), (name, error) => told.push(`${name}: ${error}`))
    await stop()
    assert.deepEqual(told, ['right: Error: no', 'left: Error: not I'])
    assert.deepEqual(done.slice(4), ['drain top', 'drain left', 'drain base', 'stop top', 'stop right', 'stop base'])
  })

  it('undoes in reverse what had started when a step fails', async () => {
    const done: string[] = []
    const told: string[] = []
    const changed = { top: { start: fail }, right: { stop: fail } }
    await assert.rejects(
      boot(diamond(done, changed), (name, error) => told.push(`${name}: ${error}`)),
      { message: 'no' },
    )
    assert.deepEqual(done, [
      ...['start base', 'start left', 'start right'],
      ...['drain right', 'drain left', 'drain base'],
      ...['stop left', 'stop base'],
    ])
    assert.deepEqual(told, ['right: Error: no'])
  })

  it('says what each step says of itself', async () => {
    const { info } = await boot(diamond([], { left: { info: (left) => `I am ${left}` } }), never)
    assert.deepEqual(info(), { base: null, left: 'I am left', right: null, top: null })
  })

  it('leaves out what is not to be included', async () => {
    const done: string[] = []
    const { components } = await boot(diamond(done, { top: { includeIf: () => false } }), never)
    assert.deepEqual(done, ['start base', 'start right', 'start left'])
    assert.equal('top' in components, false)
  })

  const wrong: readonly (readonly [what: string, changed: Parameters<typeof diamond>[1], says: RegExp])[] = [
    ['a requirement that is left out', { right: { includeIf: () => false } }, /'top' requires 'right'/],
    ['a cycle', { base: { requires: ['top'] } }, /top → left → base → top/],
    ['a step that requires itself', { base: { requires: ['base'] } }, /base → base/],
    ['two steps of one name', { right: { name: 'left' } }, /two steps named 'left'/],
  ]
  for (const [what, changed, says] of wrong) {
    it(`names ${what} before anything starts`, async () => {
      const done: string[] = []
      await assert.rejects(boot(diamond(done, changed), never), says)
      assert.deepEqual(done, [])
    })
  }
})
