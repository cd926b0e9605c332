import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Boot } from '../../src/boot/boot.ts'
import { planSteps, type StepChoice } from '../../src/boot/plan.ts'
import { type AnyStep, type Step, stepsFor } from '../../src/boot/step.ts'
import { JobqError } from '../../src/errors.ts'

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

/** Plans these steps and starts them. */
const start = async (
  steps: readonly AnyStep[],
  onError: (step: string, error: unknown) => void = never,
): Promise<{ readonly process: Boot<Parts>; readonly components: Parts }> => {
  const process = new Boot<Parts>(planSteps({ builtIn: steps }), onError)
  return { process, components: await process.start() }
}

const states = (process: Boot<Parts>): string[] => process.steps.map(({ name, state }) => `${name} ${state}`)

describe('boot', () => {
  it('starts each step after all that it requires, and gives it what they gave', async () => {
    const seen: unknown[] = []
    const { process, components } = await start([
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
    ])
    assert.deepEqual(seen, [['left of the base', 'the base']])
    assert.deepEqual(
      process.steps.map(({ name }) => name),
      ['base', 'left', 'top'],
    )
    assert.equal(components.left, 'left of the base')
  })

  it('stops in two rounds, each in reverse', async () => {
    const done: string[] = []
    const { process } = await start(diamond(done))
    const started = done.splice(0)
    assert.deepEqual(started, ['start base', 'start left', 'start right', 'start top'])
    await process.stop()
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
    const { process } = await start(diamond(done, { top: { drain: slow } }))
    await process.stop()
    assert.deepEqual(done.slice(4, 6), ['drain top, slowly', 'drain right'])
  })

  it('tells of steps that throw while it stops, and goes on to the others', async () => {
    const done: string[] = []
    const told: string[] = []
    const changed = { right: { drain: fail }, left: { stop: () => Promise.reject(new Error('not I')) } }
    const { process } = await start(diamond(done, changed), (name, error) => told.push(`${name}: ${error}`))
    await process.stop()
    assert.deepEqual(told, ['right: Error: no', 'left: Error: not I'])
    assert.deepEqual(done.slice(4), ['drain top', 'drain left', 'drain base', 'stop top', 'stop right', 'stop base'])
  })

  it('undoes in reverse what had started when a step fails', async () => {
    const done: string[] = []
    const told: string[] = []
    const changed = { top: { start: fail }, right: { stop: fail } }
    await assert.rejects(
      start(diamond(done, changed), (name, error) => told.push(`${name}: ${error}`)),
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
    const { process } = await start(diamond([], { left: { info: (left) => `I am ${left}` }, top: { info: fail } }))
    assert.deepEqual(process.info(), { base: null, left: 'I am left', right: null, top: { error: 'no' } })
  })

  it('leaves out what is not to be included', async () => {
    const done: string[] = []
    const { process, components } = await start(diamond(done, { top: { includeIf: () => false } }))
    assert.deepEqual(done, ['start base', 'start right', 'start left'])
    assert.equal('top' in components, false)
    assert.deepEqual(states(process), ['base started', 'right started', 'left started', 'top left out'])
  })

  it('gives each step what it requires and nothing else', async () => {
    const seen: object[] = []
    const look = (components: object): string => {
      seen.push(components)
      return 'it'
    }
    await start([
      { name: 'base', requires: [], start: () => 'the base' },
      { name: 'left', requires: [], start: look },
      { name: 'top', requires: ['base'], start: look },
    ])
    assert.deepEqual(seen, [{}, { base: 'the base' }])
  })

  it('knows at any time in which state a step is', async () => {
    const seen: string[][] = []
    const look = (): void => void seen.push(states(process))
    const process: Boot<Parts> = new Boot<Parts>(
      planSteps({
        builtIn: [
          { name: 'base', requires: [], start: look, drain: look, stop: fail },
          { name: 'top', requires: ['base'], start: look },
        ],
      }),
      () => {},
    )
    seen.push(states(process))
    await process.start()
    seen.push(states(process))
    await process.stop()
    seen.push(states(process))
    assert.deepEqual(seen, [
      ['base planned', 'top planned'],
      ['base starting', 'top planned'],
      ['base started', 'top starting'],
      ['base started', 'top started'],
      ['base draining', 'top drained'],
      ['base stopped', 'top stopped'],
    ])
    assert.deepEqual(
      process.steps.map(({ reason }) => reason),
      ['no', null],
    )
  })

  it('remembers which step failed to start and why', async () => {
    const process = new Boot<Parts>(planSteps({ builtIn: diamond([], { right: { start: fail } }) }), never)
    await assert.rejects(process.start(), { message: 'no' })
    assert.deepEqual(states(process), ['base stopped', 'left stopped', 'right failed', 'top planned'])
    assert.deepEqual(
      process.steps.map(({ reason }) => reason),
      [null, null, 'no', null],
    )
  })
})

describe('a plan of steps', () => {
  const plain = (name: string, requires: readonly string[] = [], more: Partial<AnyStep> = {}): AnyStep => ({
    name,
    requires,
    start: () => name,
    ...more,
  })
  const builtIn = [plain('broker'), plain('pool', ['broker']), plain('pruner', ['broker'])]
  const names = (choice: StepChoice): string[] => planSteps(choice).steps.map(({ name }) => name)

  it("has the user's steps behind the built-in ones that they require", () => {
    assert.deepEqual(names({ builtIn, own: [plain('health', ['pool'])] }), ['broker', 'pool', 'pruner', 'health'])
  })

  it('puts a step with the name of a built-in one in its place', () => {
    const own = plain('broker')
    const { steps } = planSteps({ builtIn, own: [own] })
    assert.deepEqual([steps[0], steps.length], [own, 3])
  })

  it('leaves out what is in `without`, and what another step provides then takes its place', () => {
    assert.deepEqual(names({ builtIn, without: ['pruner'] }), ['broker', 'pool'])
    const own = [plain('redis', [], { provides: 'broker' })]
    assert.deepEqual(names({ builtIn, own, without: ['broker'] }), ['redis', 'pool', 'pruner'])
  })

  it('starts a step before what it says', () => {
    assert.deepEqual(names({ builtIn, own: [plain('early', [], { before: ['pool'] })] }), [
      ...['broker', 'early', 'pool', 'pruner'],
    ])
  })

  it('does not hold a step that is left out against what it would be before', () => {
    const own = [plain('early', [], { before: ['pool'], includeIf: () => false })]
    assert.deepEqual(names({ builtIn, own }), ['broker', 'pool', 'pruner'])
  })

  it('asks each condition once', () => {
    let asked = 0
    const includeIf = (): boolean => ++asked > 0
    planSteps({ builtIn, own: [plain('a', [], { includeIf }), plain('b', ['a']), plain('c', ['a'])] })
    assert.equal(asked, 1)
  })

  const excluded = { includeIf: () => false }
  const wrong: readonly (readonly [what: string, choice: Omit<StepChoice, 'builtIn'>, says: RegExp])[] = [
    [
      'a requirement that is not there',
      { own: [plain('a', ['ghost'])] },
      /^step 'a' requires 'ghost', which is not there$/,
    ],
    ['one that resembles another', { own: [plain('a', ['brokr'])] }, /'a' requires 'brokr', .* did you mean broker\?$/],
    [
      'one whose condition is false',
      { own: [plain('a', ['b']), plain('b', [], excluded)] },
      /^step 'a' requires 'b', which is left out: its includeIf is false$/,
    ],
    [
      'one that is left out',
      { without: ['broker'] },
      /^step 'pool' requires 'broker', which is left out: it is in 'without'$/,
    ],
    ['a cycle', { own: [plain('a', ['b']), plain('b', ['c']), plain('c', ['b'])] }, /: b → c → b$/],
    ['a step that requires itself', { own: [plain('a', ['a'])] }, /: a → a$/],
    [
      'a step that requires what it is before',
      { own: [plain('a', ['pool'], { before: ['pool'] })] },
      /: pool → a → pool$/,
    ],
    [
      'a step before nothing',
      { own: [plain('a', [], { before: ['pol'] })] },
      /'a' is before 'pol', .* did you mean pool/,
    ],
    ['two steps of one name', { own: [plain('a'), plain('a')] }, /^there are two steps named 'a'$/],
    [
      'two that replace one',
      { own: [plain('pool', ['broker']), plain('pool', ['broker'])] },
      /^there are two steps named 'pool'$/,
    ],
    [
      'two that provide the same',
      { own: [plain('mine', [], { provides: 'pool' })] },
      /^steps 'pool' and 'mine' both provide 'pool'$/,
    ],
    [
      'a name to leave out that is none',
      { without: ['prunner'] },
      /'prunner' is no built-in step; did you mean pruner\?/,
    ],
    [
      "a user's step to leave out",
      { own: [plain('health')], without: ['health'] },
      /'health' is no built-in step; they are/,
    ],
  ]
  for (const [what, choice, says] of wrong) {
    it(`names ${what} before anything starts`, () => {
      assert.throws(
        () => planSteps({ builtIn, ...choice }),
        (error: unknown) => {
          assert.ok(error instanceof JobqError && error.code === 'usage')
          assert.match(error.message, says)
          return true
        },
      )
    })
  }
})
