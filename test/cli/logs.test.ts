import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { OutputWriter } from '../../src/output/output-writer.ts'
import { ends } from '../broker/conformance/scene.ts'
import { Workspace } from '../support/cli.ts'
import { withScene } from '../support/scenery.ts'

describe('jobq logs', () => {
  const workspace = new Workspace()
  const logs = (...parameters: string[]): Promise<string> => workspace.output(['logs', ...parameters])
  const writeOutput = (
    id: number,
    attempt: number,
    pieces: readonly (readonly ['stdout' | 'stderr', string])[],
  ): void => {
    const writer = new OutputWriter(`${workspace.database}.logs`, { id, attempt })
    for (const [stream, text] of pieces) writer.write(stream, Buffer.from(text))
    writer.close()
  }

  before(async () => {
    await withScene(workspace, async (scene) => {
      await scene.addId({ retries: 1 })
      await scene.runOne(ends.retried(scene.at))
      await scene.runOne(ends.succeeded())
    })
    writeOutput(1, 1, [['stderr', 'broken\n']])
    writeOutput(1, 2, [
      ['stdout', 'one\n'],
      ['stderr', 'two \u001b[31mred\n'],
      ['stdout', 'three'],
    ])
  })
  after(() => workspace.remove())

  const rows: readonly [string[], string][] = [
    [['1'], 'one\ntwo \\x1b[31mred\nthree'],
    [['1', '--raw'], 'one\ntwo \u001b[31mred\nthree'],
    [['1', '--stdout'], 'one\nthree'],
    [['1', '--stderr'], 'two \\x1b[31mred\n'],
    [['1', '--attempt', '1'], 'broken\n'],
    [['1', '-n', '1'], 'three'],
    [['1', '-n', '2'], 'two \\x1b[31mred\nthree'],
    [['1', '-n', '0'], ''],
    [['1', '-n', '99', '--stdout'], 'one\nthree'],
    [['1', '-f'], 'one\ntwo \\x1b[31mred\nthree'],
  ]
  for (const [parameters, expected] of rows) {
    test(parameters.join(' '), async () => assert.equal(await logs(...parameters), expected))
  }

  test('--json gives one document, and with -f a line a piece', async () => {
    assert.deepEqual(await workspace.json(['logs', '1']), {
      id: 1,
      attempt: 2,
      output: [
        { stream: 'stdout', text: 'one\n' },
        { stream: 'stderr', text: 'two \u001b[31mred\n' },
        { stream: 'stdout', text: 'three' },
      ],
    })
    const lines = (await logs('1', '--stderr', '-f', '--json')).trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [{ stream: 'stderr', text: 'two \u001b[31mred\n' }],
    )
  })

  test('an unknown job or attempt ends with 3', async () => {
    assert.equal((await workspace.run(['logs', '4711'])).code, 3)
    const { code, stderr } = await workspace.run(['logs', '1', '--attempt', '3'])
    assert.equal(code, 3)
    assert.match(stderr, /job 1 has had 2 attempts, not 3/)
  })

  test('-f follows a job to its end, over its attempts', async () => {
    const id = 2
    await withScene(workspace, async (scene) => {
      assert.equal(await scene.addId({ retries: 1 }), id)
      const following = workspace.start(['logs', String(id), '-f'])
      const first = await scene.claimOne()
      await scene.settle(scene.started(first))
      writeOutput(id, 1, [['stdout', 'first attempt\n']])
      await following.until('first attempt', 'stdout')
      await scene.settle(scene.finished(first, ends.retried(scene.at)))
      const second = await scene.claimOne()
      await scene.settle(scene.started(second))
      writeOutput(id, 2, [['stdout', 'second attempt\n']])
      await following.until('second attempt', 'stdout')
      writeOutput(id, 2, [['stderr', 'its last words']])
      await scene.settle(scene.finished(second, ends.succeeded()))
      const { code, stdout } = await following.ended
      assert.equal(code, 0)
      assert.equal(stdout, 'first attempt\nsecond attempt\nits last words')
    })
  })

  test('-f waits for a job that has not started, and ends with one that is deleted', async () => {
    const id = 3
    await withScene(workspace, async (scene) => {
      assert.equal(await scene.addId(), id)
      const following = workspace.start(['logs', String(id), '-f'])
      writeOutput(id, 1, [['stdout', 'at last\n']])
      await following.until('at last', 'stdout')
      await scene.runOne(ends.succeeded())
      await scene.broker.jobs.remove([id])
      while (following.child.exitCode === null) await sleep(20)
      assert.deepEqual(await following.ended, { code: 0, signal: null, stdout: 'at last\n', stderr: '' })
    })
  })

  test('says that a waiting job has written nothing yet', async () => {
    await withScene(workspace, async (scene) => void (await scene.addId()))
    const { code, stdout, stderr } = await workspace.run(['logs', '4'])
    assert.deepEqual([code, stdout, stderr], [0, '', 'Job 4 is queued; nothing is written yet.\n'])
  })

  test('-f ends with its reader, though the job writes nothing any more', async () => {
    await withScene(workspace, async (scene) => void (await scene.addId({ dueAt: scene.at + 3_600_000 })))
    const [id = ''] = (await workspace.output(['ls', '--quiet', '--limit', '1'])).split('\n')
    writeOutput(Number(id), 1, [['stdout', 'one\n']])
    const running = workspace.start(['logs', '-f', id])
    await running.until('one', 'stdout')
    running.child.stdout?.destroy()
    const { code, stderr } = await running.ended
    assert.deepEqual([code, stderr], [0, ''])
  })
})
