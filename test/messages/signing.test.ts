// Signatures between processes: who signs, who believes, and what becomes of what cannot be believed.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { connect } from '../../src/index.ts'
import { Workspace } from '../support/cli.ts'
import { until } from '../support/until.ts'
import { list, runAll, show, tamper } from './scenery.ts'

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

const configure = (config: object): string => workspace.write('jobq.config.json', JSON.stringify(config))

const newKey = async (id: string, type = 'hmac'): Promise<void> => {
  await workspace.output(['keys', 'new', id, '--type', type])
}

const add = async (...parameters: readonly string[]): Promise<number> =>
  Number(await workspace.output(['enqueue', ...parameters]))

/** What a parked job says of itself in three places. */
const rejected = async (id: number, reason: RegExp): Promise<void> => {
  const job = await show(workspace, id)
  assert.deepEqual([job.state, job.error?.type], ['failed', 'Rejected'], JSON.stringify(job))
  assert.match(String(job.error?.message), reason)
  assert.match(await workspace.output(['why', String(id)]), reason)
  assert.match(await workspace.output(['why', String(id)]), /Rejected/)
  const lines = (await workspace.output(['ls', '--state', 'failed'])).split('\n')
  assert.match(lines.find((line) => line.startsWith(`${id}\t`)) ?? '', reason)
  const types = (await workspace.output(['events', '--json', '--job', String(id)])).trim().split('\n')
  assert.equal(JSON.parse(types.at(-1) ?? '').type, 'job.rejected')
}

const echo = (): string => workspace.write('tasks/echo.js', 'export default (payload) => payload\n')

describe('signed jobs', () => {
  it('run with keys of every type, whether a command or a task, and say who signed them', async () => {
    echo()
    configure({ require: 'signed' })
    const ids = []
    for (const type of ['hmac', 'ed25519', 'x509']) {
      await newKey(type, type)
      ids.push(await add('--sign', type, 'echo', '{"to":"ann"}'), await add('--sign', type, '--', 'true'))
    }
    await runAll(workspace)
    for (const [index, id] of ids.entries()) {
      const job = await show(workspace, id)
      assert.deepEqual(
        [job.state, job.signedBy],
        ['succeeded', ['hmac', 'ed25519', 'x509'][index >> 1]],
        JSON.stringify(job.error),
      )
    }
  })

  it('are required everywhere or in one queue: what is not signed is not written, and not run', async () => {
    echo()
    configure({ queues: { money: { require: 'signed' } } })
    await newKey('prod')
    for (const words of [
      ['-q', 'money', 'echo', '1'],
      ['-q', 'money', '--', 'true'],
    ]) {
      const refused = await workspace.run(['enqueue', ...words])
      assert.equal(refused.code, 77, refused.stderr)
      assert.match(refused.stderr, /only signed jobs are taken here: name a key/)
    }
    const batch = await workspace.run(['enqueue', '--batch'], {
      input: '{"task":"echo"}\n{"task":"echo","queue":"money"}\n',
    })
    assert.deepEqual([batch.code, /line 2: only signed jobs/.test(batch.stderr)], [77, true], batch.stderr)
    assert.deepEqual(await list(workspace), [])
    const plain = await add('echo', '2')
    const signed = await add('-q', 'money', '--sign', 'prod', 'echo', '3')
    // Who can write the file needs no key, and gets nothing run in that queue.
    tamper(workspace, `INSERT INTO enqueue(task, payload, queue) VALUES ('echo', '4', 'money')`)
    tamper(workspace, `INSERT INTO enqueue(task, payload) VALUES ('echo', '5')`)
    const forged = signed + 1
    await runAll(workspace)
    for (const id of [plain, signed, forged + 1]) assert.equal((await show(workspace, id)).state, 'succeeded')
    await rejected(forged, /it is not signed, and only signed jobs are run here/)
    configure({ require: 'signed', keys: { sign: 'prod' } })
    const usual = await add('echo', '6')
    assert.equal((await show(workspace, usual)).signedBy, 'prod')
    tamper(workspace, `INSERT INTO enqueue(argv) VALUES ('["true"]')`)
    await runAll(workspace)
    assert.equal((await show(workspace, usual)).state, 'succeeded')
    await rejected(usual + 1, /it is not signed/)
  })

  it('are signed as the definition of their task wants it, also by those who know only its name', async () => {
    workspace.write('tasks/signed.js', "export const options = { sign: 'prod' }\nexport default (payload) => payload\n")
    workspace.write(
      'tasks/parent.js',
      "export default (payload, job) => job.enqueue('signed', payload, { name: 'child' })\n",
    )
    await newKey('prod')
    await runAll(workspace)
    const direct = await add('signed', '1')
    const parent = await add('parent', '2')
    const [batched] = (
      await workspace.output(['enqueue', '--batch'], { input: '{"task":"signed","payload":3}' })
    ).split('\n')
    await runAll(workspace)
    const child = (await show(workspace, parent)).result
    for (const id of [direct, Number(batched), Number(child)]) {
      const job = await show(workspace, id)
      assert.deepEqual([job.state, job.signedBy], ['succeeded', 'prod'], JSON.stringify(job.error))
    }
    const unknown = await workspace.run(['enqueue', '--sign', 'nobody', 'signed'])
    assert.deepEqual([unknown.code, /no key "nobody"/.test(unknown.stderr)], [3, true], unknown.stderr)
  })

  it('are rotated with overlap: an old key still verifies until it is retired, and signs no more', async () => {
    echo()
    configure({ require: 'signed' })
    await newKey('old')
    await newKey('new')
    const first = await add('--sign', 'old', 'echo', '1')
    await workspace.output(['keys', 'retire', 'old', '--verify-only'])
    const refused = await workspace.run(['enqueue', '--sign', 'old', 'echo', '2'])
    assert.deepEqual([refused.code, refused.stderr], [77, 'jobq: the key old only verifies\n'])
    const second = await add('--sign', 'new', 'echo', '2')
    await runAll(workspace)
    assert.deepEqual(
      [(await show(workspace, first)).state, (await show(workspace, second)).state],
      ['succeeded', 'succeeded'],
    )
    await workspace.output(['retry', String(first)])
    await workspace.output(['keys', 'retire', 'old'])
    assert.equal((await workspace.run(['enqueue', '--sign', 'old', 'echo', '3'])).code, 77)
    await runAll(workspace)
    const job = await show(workspace, first)
    assert.deepEqual([job.state, job.error?.type], ['failed', 'Rejected'])
    assert.match(String(job.error?.message), /the key old of its signature is retired/)
    assert.equal((await list(workspace)).length, 2)
  })

  it('are all signed where the configuration names a key, also plain and small ones, unless they say otherwise', async () => {
    await newKey('prod')
    configure({ keys: { sign: 'prod' } })
    await workspace.output(['enqueue', 'echo', '1'])
    await workspace.output(['enqueue', '--', 'true'])
    const batch = '{"task":"echo","payload":1}\n{"task":"echo","payload":1,"sign":false}\n'
    await workspace.output(['enqueue', '--batch'], { input: batch })
    const queue = await connect(`sqlite:${workspace.database}`, {
      keys: { folder: path.join(workspace.folder, '.config', 'jobq', 'keys'), sign: 'prod' },
    })
    await queue.enqueue('echo', 1)
    await queue.enqueueMany([{ task: 'echo', payload: 1 }])
    queue.enqueueSync('echo', 1)
    await queue.close()
    const signers = (await list(workspace)).map(({ signedBy }) => signedBy)
    assert.deepEqual(signers, ['prod', 'prod', 'prod', null, 'prod', 'prod', 'prod'])
  })

  it('are not even taken by a worker whose own key for results cannot sign', async () => {
    configure({ keys: { sign: 'prod' } })
    const without = await workspace.run(['run', '--drain'])
    assert.deepEqual([without.code, /there is no key "prod"/.test(without.stderr)], [3, true], without.stderr)
    await newKey('prod')
    await workspace.output(['keys', 'retire', 'prod', '--verify-only'])
    const demoted = await workspace.run(['run', '--drain'])
    assert.deepEqual([demoted.code, /the key prod only verifies/.test(demoted.stderr)], [77, true], demoted.stderr)
  })

  it('fail, and no worker with them, when the key of their results is retired while they run', async () => {
    workspace.write(
      'tasks/late.js',
      `import fs from 'node:fs'
export default async () => {
  fs.writeFileSync('begun', '')
  while (!fs.existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 5))
  return 1
}
`,
    )
    await newKey('prod')
    configure({ keys: { sign: 'prod' } })
    const worker = workspace.start(['run', '-c', '1'])
    await worker.until(/is online/)
    const id = await add('--sign', 'prod', 'late')
    await until('the job to begin', () => fs.existsSync(path.join(workspace.folder, 'begun')))
    await workspace.output(['keys', 'retire', 'prod'])
    // A worker looks at its keys once a second.
    const retiredAt = performance.now()
    await until('the worker to look at its keys again', () => performance.now() - retiredAt > 1_001)
    workspace.write('go', '')
    await until('the job to end', async () => (await show(workspace, id)).state !== 'running')
    const { error } = await show(workspace, id)
    assert.equal(error?.type, 'Rejected')
    assert.match(String(error?.message), /^its result cannot be kept: the key prod is retired/)
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
  })

  it('are refused in whatever way they were changed behind the back of their signer', async () => {
    echo()
    workspace.write('tasks/other.js', 'export default () => "other"\n')
    await newKey('prod')
    const payload = JSON.stringify({ pay: 5, note: 'x'.repeat(2000) })
    const signed = (): Promise<number> => add('--sign', 'prod', '--compress', 'gzip', '--delay', '1s', 'echo', payload)
    const changes: readonly (readonly [sql: string, reason: RegExp])[] = [
      [
        "UPDATE jobq_jobs SET task = (SELECT id FROM jobq_tasks WHERE name = 'other') WHERE id = ?",
        /not what was signed/,
      ],
      [
        "UPDATE jobq_jobs SET queue = (SELECT id FROM jobq_queues WHERE name = 'more') WHERE id = ?",
        /not what was signed/,
      ],
      ["UPDATE jobq_jobs SET payload = '{}' WHERE id = ?", /not what was signed/],
      [
        "UPDATE jobq_jobs SET payload = substr(payload, 1, 20) || x'00' || substr(payload, 22) WHERE id = ?",
        /not what was signed/,
      ],
      ["UPDATE jobq_jobs SET serializer = 'application/yaml' WHERE id = ?", /not what was signed/],
      ['UPDATE jobq_jobs SET coding = NULL WHERE id = ?', /it is not signed/],
      [`UPDATE jobq_jobs SET coding = '{"compression":"brotli"}' WHERE id = ?`, /not what was signed/],
      [
        `UPDATE jobq_jobs SET coding = '{"compression":"gzip","encryption":"none"}' WHERE id = ?`,
        /not what was signed/,
      ],
      ["UPDATE jobq_jobs SET signature = 'x' WHERE id = ?", /is not a signature/],
      [
        "UPDATE jobq_jobs SET signature = replace(signature, 'hmac-sha256', 'ed25519') WHERE id = ?",
        /not what was signed/,
      ],
      ["UPDATE jobq_jobs SET signature = replace(signature, ' prod ', ' none ') WHERE id = ?", /no key "none" here/],
      [
        'UPDATE jobq_jobs SET (signature, payload, coding) = (SELECT signature, payload, coding FROM jobq_jobs WHERE id = 2) WHERE id = ?',
        /its signature was made for job 2, not for this one/,
      ],
    ]
    await add('-q', 'more', 'other')
    await signed()
    const ids = []
    for (const [sql] of changes) {
      const id = await signed()
      tamper(workspace, sql, id)
      ids.push(id)
    }
    // To take the signature away altogether is of no use where it is required.
    const stripped = await signed()
    tamper(
      workspace,
      'UPDATE jobq_jobs SET signature = NULL, coding = \'{"compression":"gzip"}\' WHERE id = ?',
      stripped,
    )
    configure({ queues: { default: { require: 'signed' } } })
    await runAll(workspace, '--drain=all')
    for (const [index, id] of ids.entries()) {
      const { state, error } = await show(workspace, id)
      const [sql, reason] = changes[index] ?? ['', /./]
      assert.deepEqual([state, error?.type], ['failed', 'Rejected'], sql)
      assert.match(String(error?.message), reason, sql)
    }
    await rejected(ids[2] ?? 0, /not what was signed with the key prod/)
    await rejected(stripped, /it is not signed/)
    assert.equal((await show(workspace, 2)).state, 'succeeded')
  })
})

describe('jobs that cannot be read', () => {
  it('wait as rejected until the cause is mended, and run when they are retried', async () => {
    echo()
    workspace.write('tasks/cat.sh', '#!/bin/sh\ncat >&3\n', 0o755)
    const v8 = await add('--serializer', 'v8', 'echo', '{"a":1}')
    const program = await add('--serializer', 'v8', 'cat', '{"a":2}')
    const command = await add('--serializer', 'v8', '--', 'true')
    tamper(
      workspace,
      `INSERT INTO jobq_jobs(queue, task, state, priority, due_at, created_at, serializer, payload) SELECT queue, task, state, priority, due_at, created_at, 'application/cbor', x'a0' FROM jobq_jobs WHERE id = ?`,
      v8,
    )
    tamper(
      workspace,
      'INSERT INTO jobq_ready(queue, rank, due_at, job, last) SELECT queue, -priority, due_at, id, id FROM jobq_jobs WHERE id = ?',
      command + 1,
    )
    await runAll(workspace)
    for (const id of [v8, program, command]) await rejected(id, /application\/x-v8" is not accepted/)
    await rejected(command + 1, /no serializer reads "application\/cbor"/)
    const shown = await workspace.output(['show', String(v8)])
    assert.match(shown, /not shown: .*not accepted/)
    configure({ accept: ['json', 'v8'] })
    await workspace.output(['retry', String(v8), String(program), String(command)])
    await runAll(workspace)
    assert.deepEqual((await show(workspace, v8)).result, { a: 1 })
    assert.deepEqual((await show(workspace, program)).result, { a: 2 })
    assert.equal((await show(workspace, command)).state, 'succeeded')
  })
})

describe('jobq keys resign', () => {
  it('signs anew what waits, so that the old key can be retired', async () => {
    echo()
    configure({ require: 'signed' })
    await newKey('old')
    await newKey('next', 'ed25519')
    const delayed = await add('--sign', 'old', '--delay', '1s', 'echo', '1')
    const blocked = await add('--sign', 'old', '--after', String(delayed), '-q', 'more', 'echo', '2')
    const already = await add('--sign', 'next', 'echo', '3')
    const forged = await add('--sign', 'old', 'echo', '4')
    tamper(workspace, "UPDATE jobq_jobs SET payload = '5' WHERE id = ?", forged)
    const dry = await workspace.run(['keys', 'resign', 'next', '--dry-run', '--json'])
    assert.equal(dry.code, 77)
    const reason = 'it is not what was signed with the key old'
    const expected = { resigned: 2, unchanged: 1, refused: [{ job: forged, reason }] }
    assert.deepEqual(JSON.parse(dry.stdout), { ...expected, dryRun: true })
    assert.equal((await show(workspace, delayed)).signedBy, 'old')
    assert.equal(await workspace.output(['keys', 'resign', 'next', '-q', 'more']), '1 signed anew by next, 0 already\n')
    assert.deepEqual(
      [(await show(workspace, delayed)).signedBy, (await show(workspace, blocked)).signedBy],
      ['old', 'next'],
    )
    const whole = await workspace.run(['keys', 'resign', 'next'])
    assert.deepEqual(
      [whole.code, whole.stdout, whole.stderr],
      [77, '1 signed anew by next, 2 already\n', `jobq: job ${forged}: ${reason}\n`],
    )
    for (const id of [delayed, blocked, already]) {
      assert.equal(await workspace.output(['keys', 'verify', '--job', String(id)]), `${id}\tsigned by next\n`)
    }
    await workspace.output(['keys', 'retire', 'old'])
    await runAll(workspace, '--drain=all')
    for (const id of [delayed, blocked, already]) assert.equal((await show(workspace, id)).state, 'succeeded')
    await rejected(forged, /the key old of its signature is retired/)
  })

  it('refuses keys and jobs that are none, and says what does not hold', async () => {
    echo()
    await newKey('prod')
    const plain = await add('echo', '1')
    const signed = await add('--sign', 'prod', 'echo', '1')
    const code = async (...parameters: readonly string[]): Promise<number | null> =>
      (await workspace.run(['keys', ...parameters])).code
    const unsigned = await workspace.run(['keys', 'verify', '--job', String(plain)])
    assert.deepEqual([unsigned.code, /it is not signed/.test(unsigned.stderr)], [77, true], unsigned.stderr)
    assert.equal(await code('verify', '--job', '99'), 3)
    assert.equal(await code('verify', 'prod', '--job', '1'), 2)
    assert.equal(await code('resign'), 2)
    assert.equal(await code('list', '--queue', 'q'), 2)
    await newKey('other')
    await workspace.output(['keys', 'retire', 'other'])
    assert.equal(await code('resign', 'nobody'), 3)
    assert.equal(await code('resign', 'other'), 77)
    assert.equal((await show(workspace, signed)).signedBy, 'prod')
  })
})
