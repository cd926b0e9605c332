import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { after, beforeEach, describe, test } from 'node:test'
import { program, Running, Workspace } from '../support/cli.ts'
import { withScene } from '../support/scenery.ts'
import { until } from '../support/until.ts'

interface Told {
  readonly id?: number
  readonly type: string
  readonly from: number
  readonly to: number
}

/** The whole lines of a stream that may have been cut in the middle of one. */
const wholeLines = (ndjson: string): Told[] =>
  ndjson
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Told)

describe('jobq events -f', () => {
  let workspace: Workspace
  const add = (count: number): Promise<void> =>
    withScene(workspace, async (scene) => void (await scene.addAll(Array.from({ length: count }, () => ({})))))

  beforeEach(async () => {
    await workspace?.remove()
    workspace = new Workspace()
    await add(3)
  })
  after(() => workspace.remove())

  test('ends with the reader of its pipe, though nothing happens any more', async () => {
    const line = '"$@" events -f --json --after 0 | head -n 1'
    const shell = spawn('sh', ['-c', line, 'sh', ...program], {
      cwd: workspace.folder,
      env: workspace.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { code, stdout, stderr } = await new Running(shell).ended
    assert.deepEqual([code, wholeLines(stdout).map(({ id }) => id), stderr], [0, [1], ''])
  })

  test('ends with the reader of its socket', async () => {
    const running = workspace.start(['events', '-f', '--json', '--after', '0'])
    await running.until('"id":3', 'stdout')
    running.child.stdout?.destroy()
    const { code, stderr } = await running.ended
    assert.deepEqual([code, stderr], [0, ''])
  })

  test('tells each event once or that it was pruned, however often the log is pruned and the follower dies', async () => {
    const told: Told[] = []
    let written = 3
    for (let round = 0; round < 6; round++) {
      const last = told.at(-1)
      const running = workspace.start(['events', '-f', '--json', '--after', String(last?.id ?? last?.to ?? 0)])
      await withScene(workspace, async (scene) => {
        for (let batch = 0; batch < 10; batch++) {
          await scene.addAll(Array.from({ length: 40 }, () => ({})))
          written += 40
          if (batch % 3 === round % 3) await scene.broker.events.prune({ before: 0, keep: 25, limit: 1_000 })
        }
      })
      if (round < 5) await until('some events', () => wholeLines(running.stdout).length >= 5)
      else await running.until(`"id":${written},`, 'stdout')
      running.child.kill('SIGKILL')
      told.push(...wholeLines((await running.ended).stdout))
    }
    let cursor = 0
    for (const { type, id, from, to } of told) {
      assert.equal(type === 'events.pruned' ? from : id, cursor + 1)
      cursor = id ?? to
    }
    assert.equal(cursor, written)
    assert.ok(told.some(({ type }) => type === 'events.pruned'))
  })

  test('goes on while workers come and go', async () => {
    const running = workspace.start(['events', '-f', '--json', '--type', 'worker.*,job.succeeded'])
    // It says nothing at its start: what it has missed is no part of what is looked for.
    await until('the follower to follow', async () => {
      await workspace.output(['run', '--drain'])
      return running.stdout.includes('worker.offline')
    })
    const worker = workspace.start(['run', '-c', '1'])
    await worker.until('is online')
    worker.child.kill('SIGKILL')
    await worker.ended
    const id = Number(await workspace.output(['enqueue', '--', 'true']))
    await workspace.output(['run', '--drain', '-c', '1'])
    await running.until(new RegExp(`"type":"job.succeeded","job":${id},[^]*worker.offline`), 'stdout')
    running.child.kill('SIGKILL')
    const ids = wholeLines((await running.ended).stdout).map(({ id }) => id ?? 0)
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((one, other) => one - other),
    )
  })

  test('says so when its cursor lies ahead', async () => {
    const running = workspace.start(['events', '-f', '--json', '--after', '4'])
    await running.until('Event 4 has not happened yet')
    await add(2)
    await running.until('"id":5', 'stdout')
    running.child.kill('SIGKILL')
    assert.deepEqual(
      wholeLines((await running.ended).stdout).map(({ id }) => id),
      [5],
    )
  })

  test('ends with 78 when its file is replaced', async () => {
    const running = workspace.start(['events', '-f', '--json', '--after', '0'])
    await running.until('"id":3', 'stdout')
    fs.renameSync(workspace.database, `${workspace.database}.old`)
    const { code, stderr } = await running.ended
    assert.equal(code, 78)
    assert.match(stderr, /was moved, deleted or replaced/)
  })
})
