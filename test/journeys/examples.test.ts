import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { Workspace } from '../support/cli.ts'

const root = path.dirname(path.dirname(import.meta.dirname))
const tasks = path.join(root, 'examples', 'tasks')

describe('the examples', () => {
  const workspace = new Workspace()
  after(() => workspace.remove())

  /** Enqueues a job of an example, runs a worker until nothing is due, and gives the job as it then is. */
  const runJob = async (...parameters: string[]): Promise<Record<string, unknown>> => {
    const id = (await workspace.output(['enqueue', ...parameters])).trim()
    await workspace.output(['run', '--tasks', tasks, '--drain'])
    return (await workspace.json(['show', id])) as Record<string, unknown>
  }

  test('words counts words', async () => {
    const file = workspace.write('song.txt', 'La la la, sang Ada. LA LA!\n')
    const job = await runJob('words', JSON.stringify({ path: file, top: 1 }))
    assert.deepEqual([job.state, job.result], ['succeeded', { total: 7, different: 3, common: { la: 5 } }])
    assert.deepEqual(job.progress, { fraction: 1, text: '7 words' })
  })

  test('a payload that its check refuses is final', async () => {
    const { state, attempt, error } = await runJob('words', '{"top": 0}')
    assert.deepEqual([state, attempt], ['failed', 1])
    assert.match((error as { message: string }).message, /top: a number above 0 is needed/)
  })

  test('words of no file fails without a retry', async () => {
    const { state, attempt, error } = await runJob('words', '{"path": "nowhere.txt"}')
    assert.deepEqual([state, attempt, (error as { type: string }).type], ['failed', 1, 'Fail'])
  })

  test('greet greets', async () => {
    assert.deepEqual((await runJob('greet', '{"name": "Ada"}')).result, { greeting: 'Hello, Ada!' })
  })

  test('mail/send waits while the outbox is closed, without using an attempt', async () => {
    const outbox = path.dirname(workspace.write('outbox/CLOSED', ''))
    const payload = JSON.stringify({ to: 'ada@example.org', subject: 'Hello', outbox })
    const closed = await runJob('mail/send', payload)
    assert.deepEqual([closed.state, closed.label], ['queued', 'scheduled'])
    fs.rmSync(path.join(outbox, 'CLOSED'))
    const sent = await runJob('mail/send', payload)
    assert.deepEqual(sent.result, { file: path.join(outbox, `${sent.id}.eml`) })
    assert.equal(
      fs.readFileSync(path.join(outbox, `${sent.id}.eml`), 'utf8'),
      'To: ada@example.org\nSubject: Hello\n\n\n',
    )
  })

  test('measure measures, or comes back later while its folder is missing', async () => {
    const file = workspace.write('measured/a.txt', 'a')
    const { state, result } = await runJob('measure', JSON.stringify(path.dirname(file)))
    assert.deepEqual([state, (result as { files: number }).files], ['succeeded', 1])
    const missing = await runJob('measure', '"/no/such/folder"', '--backoff', 'fixed:1h')
    assert.deepEqual([missing.state, missing.label], ['queued', 'scheduled'])
  })

  const python = spawnSync('python3', ['--version']).status === 0 ? {} : { skip: 'there is no python3 here' }
  test('checksum gives its result on descriptor 3, and fails for good on a missing file', python, async () => {
    const file = workspace.write('empty.txt', 'abc')
    const { result } = await runJob('checksum', JSON.stringify({ path: file }))
    const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert.deepEqual(result, { path: file, digest })
    const missing = await runJob('checksum', '{"path": "nowhere"}', '--retries', '5')
    assert.deepEqual([missing.state, missing.exitCode, missing.attempt], ['failed', 65, 1])
  })
})
