// Encryption at rest: what a stolen file tells, and what those see who have not the key.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Workspace } from '../support/cli.ts'
import { filesOf, list, runAll, show, tamper } from './scenery.ts'

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

/** Holds no more than a file of jobq holds anyway, unless it leaks. */
const secretOf = (part: string): string => `${part}-${randomBytes(8).toString('hex')}`

const encrypted = (more: object = {}): void => {
  workspace.write('queue.key', randomBytes(32).toString('hex'), 0o600)
  workspace.write('jobq.config.json', JSON.stringify({ encrypt: { keyFile: 'queue.key' }, ...more }))
}

describe('encryption at rest', () => {
  it('leaves nothing of payloads and results in the files of the queue, wherever they come from', async () => {
    encrypted({ keys: { sign: 'prod' }, accept: ['json', 'msgpack', 'yaml', 'v8'] })
    await workspace.output(['keys', 'new', 'prod', '--type', 'hmac'])
    workspace.write('tasks/echo.js', 'export default (payload) => ({ back: payload })\n')
    workspace.write('tasks/parent.js', "export default (payload, job) => job.enqueue('echo', payload)\n")
    workspace.write('tasks/cat.sh', '#!/bin/sh\ncat >&3\n', 0o755)
    const [plain = '', signed = '', batched = '', child = '', command = '', program = ''] = [
      'plain',
      'signed',
      'batched',
      'child',
      'command',
      'program',
    ].map(secretOf)
    const json = (secret: string): string => JSON.stringify({ secret, list: [secret.toUpperCase()] })
    await workspace.output(['enqueue', 'echo', json(plain)])
    await workspace.output([
      'enqueue',
      '--sign',
      'prod',
      '--serializer',
      'v8',
      '--compress',
      'zstd',
      'echo',
      json(signed),
    ])
    const lines = ['json', 'msgpack', 'yaml', 'v8'].flatMap((serializer) => [
      { task: 'echo', payload: { secret: batched }, serializer },
      { task: 'cat', payload: { secret: program, fill: 'x'.repeat(2_000) }, serializer, compress: 'gzip' },
    ])
    await workspace.output(['enqueue', '--batch'], { input: lines.map((line) => JSON.stringify(line)).join('\n') })
    await workspace.output(['enqueue', 'parent', json(child)])
    await workspace.output(['enqueue', '--', 'sh', '-c', `test -n ${command}`])
    const secrets = [plain, signed, batched, child, command, program]
    const leaks = (): string[] => {
      const found = filesOf(workspace)
      assert.ok(found.length > 10_000 && found.includes('echo'))
      return secrets.filter((secret) => found.includes(secret) || found.includes(secret.toUpperCase()))
    }
    assert.deepEqual(leaks(), [])
    // A worker that is killed leaves its log behind.
    const worker = workspace.start(['run', '-c', '2'])
    for (const id of ['1', '2', '12', '13']) await workspace.output(['wait', id])
    worker.child.kill('SIGKILL')
    await worker.ended
    assert.ok(fs.existsSync(`${workspace.database}-wal`))
    assert.deepEqual(leaks(), [])
    const jobs = await list(workspace)
    assert.deepEqual(
      [...new Set(jobs.map(({ state }) => state))],
      ['succeeded'],
      JSON.stringify(jobs.map(({ error }) => error)),
    )
    assert.deepEqual(jobs[0]?.result, { back: { secret: plain, list: [plain.toUpperCase()] } })
    assert.deepEqual(jobs[1]?.result, { back: { secret: signed, list: [signed.toUpperCase()] } })
    assert.equal(jobs[1]?.signedBy, 'prod')
    // Backups are no more talkative.
    await workspace.output(['backup', 'copy.db'])
    const copy = fs.readFileSync(`${workspace.folder}/copy.db`)
    assert.deepEqual(
      secrets.filter((secret) => copy.includes(secret)),
      [],
    )
  })

  it('says to those without the key why nothing is shown, and to those with another one that it is another one', async () => {
    encrypted()
    workspace.write('tasks/echo.js', 'export default (payload) => payload\n')
    await workspace.output(['enqueue', 'echo', '{"pin":1234}'])
    await runAll(workspace)
    assert.deepEqual((await show(workspace, 1)).result, { pin: 1234 })
    workspace.write('empty.json', '{}')
    const without = ['--config', 'empty.json']
    const job = (await workspace.json([...without, 'show', '1'])) as Record<string, unknown>
    assert.deepEqual([job.payload, job.result], [null, null])
    const text = await workspace.output([...without, 'show', '1'])
    assert.match(text, /payload\tnot shown: it is encrypted, and encrypt\.keyFile is not set here/)
    assert.match(text, /result\tnot shown: it is encrypted/)
    for (const words of [['ls', '--json'], ['ls'], ['why', '1'], ['events', '--json'], ['wait', '1', '--json']]) {
      assert.doesNotMatch(await workspace.output([...without, ...words]), /1234/)
    }
    workspace.write('queue.key', randomBytes(32).toString('base64'), 0o600)
    assert.match(await workspace.output(['show', '1']), /payload\tnot shown: it was encrypted with another key/)
    await workspace.output(['enqueue', 'echo', '2'])
    await workspace.output(['retry', '1'])
    await runAll(workspace)
    const { state, error } = await show(workspace, 1)
    assert.deepEqual([state, error?.type], ['failed', 'Rejected'])
    assert.match(String(error?.message), /another key/)
    assert.equal((await show(workspace, 2)).result, 2)
    // Its key file must be safe from others, before anything is written.
    fs.chmodSync(`${workspace.folder}/queue.key`, 0o644)
    const refused = await workspace.run(['enqueue', 'echo', '3'])
    assert.equal(refused.code, 77, refused.stderr)
    assert.equal((await workspace.run(['run', '--drain'])).code, 77)
    assert.equal((await list(workspace, ...without)).length, 2)
  })

  it('takes nothing that was changed, or moved to another task or part', async () => {
    encrypted()
    workspace.write('tasks/echo.js', 'export default (payload) => payload\n')
    workspace.write('tasks/other.js', 'export default (payload) => payload\n')
    for (const task of ['echo', 'echo', 'other'])
      await workspace.output(['enqueue', task, '{"pay":5}', '--delay', '1s'])
    tamper(
      workspace,
      'UPDATE jobq_jobs SET payload = CAST(substr(payload, 1, 30) || zeroblob(1) || substr(payload, 32) AS BLOB) WHERE id = 1',
    )
    tamper(workspace, "UPDATE jobq_jobs SET task = (SELECT id FROM jobq_tasks WHERE name = 'other') WHERE id = 2")
    await runAll(workspace, '--drain=all')
    const jobs = await list(workspace)
    assert.deepEqual(
      jobs.map(({ state }) => state),
      ['failed', 'failed', 'succeeded'],
    )
    for (const { error } of jobs.slice(0, 2)) {
      assert.match(String(error?.message), /its encrypted content was changed, or belongs to another task/)
    }
    tamper(
      workspace,
      "UPDATE jobq_jobs SET result = payload, result_coding = json_set(result_coding, '$.serializer', 'json') WHERE id = 3",
    )
    assert.match(await workspace.output(['show', '3']), /result\tnot shown: its encrypted content was changed/)
  })
})
