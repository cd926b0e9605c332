import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkCommand, controlVerbs } from '../../src/control/command.ts'
import { JobqError } from '../../src/errors.ts'

const good: readonly object[] = [
  { verb: 'grow', count: 1 },
  { verb: 'shrink', count: 1024 },
  { verb: 'autoscale', max: 8, min: 2 },
  { verb: 'autoscale', max: 1, min: 1 },
  { verb: 'limits', task: 'mail/send', softTimeLimitMs: 10, timeLimitMs: null },
  { verb: 'limits', task: 'exec', timeLimitMs: 1 },
  { verb: 'reload' },
  { verb: 'drain' },
  { verb: 'resume' },
  { verb: 'stop' },
  { verb: 'dump' },
  { verb: 'status' },
]

const bad: readonly (readonly [command: unknown, message: RegExp])[] = [
  [null, /null is not a command/],
  ['grow', /"grow" is not a command/],
  [[], /undefined is no command/],
  [{}, /undefined is no command/],
  [{ verb: 'gro', count: 1 }, /"gro" is no command to a worker; did you mean grow\?/],
  [{ verb: 'constructor' }, /"constructor" is no command/],
  [{ verb: 'grow' }, /count: undefined is not a whole number from 1 to 1024/],
  [{ verb: 'grow', count: 0 }, /count: 0/],
  [{ verb: 'grow', count: 1.5 }, /count: 1.5/],
  [{ verb: 'grow', count: '2' }, /count: "2"/],
  [{ verb: 'grow', count: 1025 }, /count: 1025/],
  [{ verb: 'grow', count: 1, force: true }, /"grow" has no "force"/],
  [{ verb: 'autoscale', max: 1, min: 2 }, /min: 2 is more than max, 1/],
  [{ verb: 'autoscale', max: 1, min: 0 }, /min: 0/],
  [{ verb: 'limits', task: 'a' }, /neither a soft nor a hard limit/],
  [{ verb: 'limits', task: '../a', timeLimitMs: 1 }, /"..\/a" is not a name for a task/],
  [{ verb: 'limits', task: 'a', timeLimitMs: 0 }, /timeLimitMs: 0/],
  [{ verb: 'limits', task: 'a', timeLimitMs: 'x' }, /timeLimitMs: "x"/],
  [{ verb: 'stop', now: true }, /"stop" has no "now"/],
]

describe('a command', () => {
  for (const command of good) {
    it(JSON.stringify(command), () => assert.deepEqual(checkCommand(command), command))
  }

  it('of every verb is among those above', () => {
    assert.deepEqual([...new Set(good.map((command) => Reflect.get(command, 'verb')))].sort(), [...controlVerbs].sort())
  })

  for (const [command, message] of bad) {
    it(`not ${JSON.stringify(command)}`, () =>
      assert.throws(
        () => checkCommand(command),
        (error) => error instanceof JobqError && error.code === 'usage' && message.test(error.message),
      ))
  }
})
