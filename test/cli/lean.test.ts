import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { understand } from '../../cli/lean/enqueue.ts'
import { Workspace } from '../support/cli.ts'

const workspace = new Workspace()
after(() => workspace.remove())

const short: readonly (readonly string[])[] = [
  ['--', 'true'],
  ['--', 'printf', '%s\n', 'a b', '--json', '-q', ''],
  ['-q', 'media', '-p', '9', '--', 'convert', 'a.png'],
  ['--queue=media', '--priority=0', '--delay=1h', '--retries=3', '--', 'true'],
  ['--delay', 'PT5M', 'mail/send', '{"to":"ünn","n":[1,2.5,null]}'],
  ['mail/send', '--json', '{"a":1}'],
  ['mail/send'],
  ['-q', 'a', '-q', 'b', 'mail/send', '"last one counts"'],
  ['--quiet', '--', 'true'],
]

const unusual: readonly (readonly string[])[] = [
  ['--tag', 'a', '--', 'true'],
  ['--batch'],
  ['--wait', '--', 'true'],
  ['-h'],
  ['-qmedia', '--', 'true'],
  ['--', 'caf\ufffd'],
]

const wrong: readonly (readonly string[])[] = [
  [],
  ['--'],
  ['a', 'b', 'c'],
  ['a', '--', 'b'],
  ['-p', '10', '--', 'true'],
  ['-p', 'x', '--', 'true'],
  ['--delay', '-1', '--', 'true'],
  ['-q', '../x', '--', 'true'],
  ['-q'],
  ['mail/send', '{bad'],
  ['mail/send', '9007199254740993'],
  ['mail/send', '{"__proto__":1}'],
  ['mail/send', '@file'],
  ['mail/send', '-'],
  ['../x'],
  ['exec'],
  ['caf\ufffd'],
  ['--unknown', '--', 'true'],
  ['-b', 'redis://host', '--', 'true'],
  ['-b', '', '--', 'true'],
  ['--', ''],
]

describe('the short way of enqueue', () => {
  for (const parameters of short) {
    it(`understands ${JSON.stringify(parameters)}`, () => assert.notEqual(understand(['enqueue', ...parameters]), null))
  }
  for (const parameters of [...unusual, ...wrong]) {
    it(`leaves ${JSON.stringify(parameters)} to the full command`, () =>
      assert.equal(understand(['enqueue', ...parameters]), null))
  }
})

it('the short way takes global options before the command, under either name', () => {
  assert.notEqual(understand(['-b', 'x.db', '--json', 'add', '--', 'true']), null)
  assert.equal(understand(['-b', 'enqueue', 'show', '1']), null)
  assert.equal(understand(['show', 'add']), null)
  assert.equal(understand(['--', 'enqueue', 'true']), null)
})

describe('the short way and the full command', () => {
  // Any colour that is asked for is none of the short way's business.
  const full = { JOBQ_COLOR: 'auto' }
  const stored = async (id: number): Promise<object> => {
    const job = (await workspace.json(['show', String(id)])) as Record<string, unknown>
    const span = Date.parse(String(job.dueAt)) - Date.parse(String(job.createdAt))
    return { ...job, id: null, createdAt: null, dueAt: span, timeline: null, events: null }
  }
  for (const parameters of short) {
    it(`add the same for ${JSON.stringify(parameters)}`, async () => {
      const one = await workspace.output(['enqueue', ...parameters])
      const other = await workspace.output(['enqueue', ...parameters], { env: full })
      const ids = [one, other].map((text) => (text.startsWith('{') ? JSON.parse(text).id : Number(text)))
      assert.deepEqual(await stored(ids[0]), await stored(ids[1]))
      if (one.startsWith('{')) assert.deepEqual(Object.keys(JSON.parse(one)), Object.keys(JSON.parse(other)))
    })
  }
  for (const parameters of wrong) {
    it(`refuse alike ${JSON.stringify(parameters)}`, async () => {
      const one = await workspace.run(['enqueue', ...parameters])
      assert.deepEqual(one, await workspace.run(['enqueue', ...parameters], { env: full }))
      assert.equal(one.code, 2, one.stderr)
    })
  }
})
