import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Workspace } from '../support/cli.ts'
import { until } from '../support/until.ts'

interface Told {
  readonly id: number
  readonly type: string
  readonly job: number
}

describe('consumers of a configuration file', () => {
  let workspace: Workspace
  beforeEach(() => {
    workspace = new Workspace()
  })
  afterEach(() => workspace.remove())

  const lines = (name: string): Told[] => {
    const file = path.join(workspace.folder, name)
    const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Told)
  }

  it('are told by a worker that drains of all that it has done, before it ends', async () => {
    workspace.write(
      'jobq.config.ts',
      `import fs from 'node:fs'
import { defineConfig } from 'jobq'
export default defineConfig({
  consumers: [
    { name: 'function', events: ['job.failed'], handle: (event) => fs.appendFileSync('function', JSON.stringify(event) + '\\n') },
    { name: 'program', events: ['job.failed'], command: ['sh', '-c', 'cat >> program'] },
    { name: 'file', events: ['job.failed'], file: 'kept/file' },
  ],
  cameras: [{ every: '1h', shutter: () => {} }],
})
`,
    )
    fs.mkdirSync(path.join(workspace.folder, 'kept'))
    const failing = Number(await workspace.output(['enqueue', '--', 'false']))
    await workspace.output(['enqueue', '--', 'true'])
    await workspace.output(['run', '--drain', '-c', '1'])
    for (const name of ['function', 'program', 'kept/file']) {
      assert.deepEqual(
        lines(name).map(({ type, job }) => [type, job]),
        [['job.failed', failing]],
      )
    }
    assert.match(await workspace.output(['steps']), /\bconsumers\b/)
  })

  it('miss nothing when the worker is killed again and again', async () => {
    workspace.write('jobq.config.json', '{"consumers": [{"name": "all", "events": "job.*", "file": "told"}]}')
    const add = (): Promise<string> =>
      workspace.output(['enqueue', '--batch', '--quiet'], { input: '{"argv":["true"]}\n'.repeat(30) })
    for (let round = 0; round < 3; round++) {
      await add()
      const before = lines('told').length
      const worker = workspace.start(['run', '-c', '1'])
      await until('some events', () => lines('told').length > before + 10)
      worker.child.kill('SIGKILL')
      await worker.ended
    }
    await workspace.output(['run', '--drain', '-c', '1'])
    const told = lines('told')
    const from = told[0]?.id ?? 0
    const logged = (await workspace.output(['events', '--json', '--type', 'job.*', '--after', String(from - 1)]))
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as Told).id)
    assert.deepEqual(
      [...new Set(told.map(({ id }) => id))].sort((one, other) => one - other),
      logged,
    )
  })
})
