import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Workspace } from '../support/cli.ts'

type Json = Record<string, unknown>

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

const add = async (...parameters: string[]): Promise<string> =>
  (await workspace.output(['enqueue', ...parameters])).trim()
const show = async (id: string): Promise<Json> => (await workspace.json(['show', id])) as Json
const drain = (): Promise<string> => workspace.output(['run', '--drain', '-c', '1'])
const ids = async (): Promise<string[]> =>
  ((await workspace.json(['ls', '--sort', 'oldest'])) as Json[]).map(({ id }) => String(id))

describe('jobq cancel', () => {
  it('keeps what waits from ever running', async () => {
    const [a, b] = [await add('--', 'true'), await add('--', 'true')]
    assert.equal(await workspace.output(['cancel', a]), `${a}\tcancelled\n`)
    await drain()
    assert.deepEqual([(await show(a)).state, (await show(b)).state], ['cancelled', 'succeeded'])
    assert.equal(((await show(a)).error as Json).type, 'Cancelled')
  })

  it('ends what runs, by TERM and then KILL', async () => {
    const worker = workspace.start(['run', '-c', '2', '--kill-after', '100ms'])
    const polite = await add('--', 'sleep', '60')
    const stubborn = await add('--shell', 'trap "" TERM; echo ready; while :; do sleep 0.05; done')
    const following = workspace.start(['logs', '-f', stubborn])
    await following.until('ready', 'stdout')
    const answer = (await workspace.json(['cancel', polite, stubborn])) as Json[]
    assert.deepEqual(
      answer.map(({ id }) => String(id)),
      [polite, stubborn],
    )
    await workspace.run(['wait', polite, stubborn])
    assert.deepEqual([(await show(polite)).state, (await show(stubborn)).state], ['cancelled', 'cancelled'])
    assert.equal((await show(stubborn)).signal, 'SIGKILL')
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
  })

  it('exits 1 for a finished job and 3 for a missing one, having cancelled the others', async () => {
    const [a, b] = [await add('--', 'true'), await add('--', 'true')]
    await workspace.output(['cancel', a])
    const finished = await workspace.run(['cancel', a, b])
    assert.equal(finished.code, 1)
    assert.match(finished.stderr, new RegExp(`job ${a} has finished already`))
    assert.equal((await show(b)).state, 'cancelled')
    const missing = await workspace.run(['cancel', '999'])
    assert.equal(missing.code, 3)
    assert.match(missing.stderr, /job 999 does not exist/)
    assert.deepEqual(JSON.parse((await workspace.run(['cancel', '999', '--json'])).stdout), [
      { id: 999, answer: 'not-found' },
    ])
  })
})

describe('jobq retry', () => {
  it('runs finished jobs again, one by one or all that failed', async () => {
    const [a, b, fine] = [await add('--', 'false'), await add('-q', 'media', '--', 'false'), await add('--', 'true')]
    await drain()
    assert.equal(await workspace.output(['retry', a, '--quiet']), `${a}\n`)
    assert.equal((await show(a)).state, 'queued')
    assert.equal(await workspace.output(['retry', '--all-failed', '-q', 'media', '--quiet']), `${b}\n`)
    await drain()
    assert.deepEqual([(await show(a)).attempt, (await show(a)).maxAttempts, (await show(fine)).attempt], [2, 2, 1])
    assert.equal(await workspace.output(['retry', '--all-failed', '--quiet']), `${a}\n${b}\n`)
    const unfinished = await workspace.run(['retry', a])
    assert.equal(unfinished.code, 1)
    assert.match(unfinished.stderr, /has not finished yet/)
    assert.equal((await workspace.run(['retry', '999'])).code, 3)
  })
})

describe('jobq rm', () => {
  it('deletes finished jobs and what they wrote, and nothing else', async () => {
    const [a, waiting] = [await add('--', 'echo', 'hi'), await add('--delay', '1h', '--', 'true')]
    await drain()
    const files = (): string[] => fs.readdirSync(`${workspace.database}.logs`, { recursive: true }).map(String)
    assert.notDeepEqual(
      files().filter((file) => path.basename(file).startsWith(`${a}.`)),
      [],
    )
    assert.equal(await workspace.output(['rm', a, '--dry-run']), `${a}\twould be deleted\n`)
    const { code, stderr } = await workspace.run(['rm', a, waiting])
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`job ${waiting} has not finished`))
    assert.deepEqual(await ids(), [waiting])
    assert.deepEqual(
      files().filter((file) => path.basename(file).startsWith(`${a}.`)),
      [],
    )
    assert.equal((await workspace.run(['rm', a])).code, 3)
  })
})

describe('jobq prune', () => {
  it('deletes by state, queue, age and number', async () => {
    const [a, b, c] = [await add('--', 'true'), await add('-q', 'media', '--', 'true'), await add('--', 'false')]
    const waiting = await add('--delay', '1h', '--', 'true')
    await drain()
    assert.equal(await workspace.output(['prune', '--older-than', '1h']), '0 deleted\n')
    assert.equal(await workspace.output(['prune', '--state', 'failed', '--dry-run']), '1 would be deleted\n')
    assert.equal(await workspace.output(['prune', '--state', 'failed', '--quiet']), `${c}\n`)
    assert.deepEqual(await workspace.json(['prune', '-q', 'media']), { pruned: 1, dryRun: false })
    assert.equal(await workspace.output(['prune', '--keep', '1']), '0 deleted\n')
    assert.deepEqual(await ids(), [a, waiting])
    await workspace.output(['prune', '--older-than', '0'])
    assert.deepEqual(await ids(), [waiting])
    assert.notEqual(a, b)
  })
})

describe('queues', () => {
  it('pause and resume', async () => {
    const id = await add('-q', 'media', '--', 'true')
    assert.equal(await workspace.output(['pause', 'media', 'other']), 'media\tpaused\nother\tpaused\n')
    await drain()
    assert.equal((await show(id)).state, 'queued')
    assert.deepEqual(await workspace.json(['resume', 'media']), [{ name: 'media', paused: false }])
    await drain()
    assert.equal((await show(id)).state, 'succeeded')
  })

  it('are purged only when told twice', async () => {
    const [a, b] = [await add('-q', 'media', '--', 'true'), await add('--', 'true')]
    const refused = await workspace.run(['purge', 'media'])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /cancel 1 job of queue media: say --yes/)
    assert.equal(await workspace.output(['purge', 'media', '--dry-run']), '1 would be purged\n')
    assert.equal((await show(a)).state, 'queued')
    assert.equal(await workspace.output(['purge', 'media', '-y']), '1 purged\n')
    assert.deepEqual([(await show(a)).state, ((await show(a)).error as Json).type], ['cancelled', 'Purged'])
    assert.equal((await show(b)).state, 'queued')
    assert.equal((await workspace.run(['purge', 'nobody', '-y'])).code, 3)
  })
})
