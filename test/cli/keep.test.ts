import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { openDatabase } from '../../src/broker/sqlite/native.ts'
import { Workspace } from '../support/cli.ts'

type Json = Record<string, unknown>

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

describe('jobq backup', () => {
  it('copies the broker while a worker uses it, and never over a file unless forced', async () => {
    await workspace.output(['enqueue', '--delay', '1h', '--', 'true'])
    const worker = workspace.start(['run', '-c', '1'])
    await worker.until(/is online/)
    await workspace.output(['backup', 'copy.db'])
    const copy = path.join(workspace.folder, 'copy.db')
    assert.equal(fs.statSync(copy).mode & 0o777, 0o600)
    assert.equal(((await workspace.json(['-b', copy, 'ls'])) as Json[]).length, 1)
    const again = await workspace.run(['backup', 'copy.db'])
    assert.equal(again.code, 1)
    assert.match(again.stderr, /--force/)
    await workspace.output(['enqueue', '--delay', '1h', '--', 'true'])
    assert.deepEqual(await workspace.json(['backup', 'copy.db', '--force']), { from: workspace.database, to: copy })
    assert.equal(((await workspace.json(['-b', copy, 'ls'])) as Json[]).length, 2)
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
  })

  it('refuses a file with a damaged page, and leaves what is at the target', async () => {
    await workspace.output(['enqueue', '--tag', 'x', '--', 'true'])
    const sound = openDatabase(workspace.database)
    sound.pragma('wal_checkpoint(TRUNCATE)')
    const page = sound.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'jobq_jobs'").pluck().get()
    sound.close()
    const bytes = fs.readFileSync(workspace.database)
    bytes.fill(0x5a, (Number(page) - 1) * 4_096, Number(page) * 4_096)
    fs.writeFileSync(workspace.database, bytes)
    workspace.write('older.db', 'an older copy')
    const before = fs.readdirSync(workspace.folder).sort()
    for (const parameters of [['copy.db'], ['older.db', '--force']]) {
      const { code, stdout, stderr } = await workspace.run(['backup', ...parameters])
      assert.deepEqual([code, stdout], [78, ''])
      assert.match(stderr, /jobs\.db is not a sound database, nothing was copied: /)
    }
    const left = fs.readdirSync(workspace.folder).filter((name) => !/^jobs\.db-(wal|shm)$/.test(name))
    assert.deepEqual(
      left.sort(),
      before.filter((name) => !/^jobs\.db-(wal|shm)$/.test(name)),
    )
    assert.equal(fs.readFileSync(path.join(workspace.folder, 'older.db'), 'utf8'), 'an older copy')
    assert.deepEqual(fs.readFileSync(workspace.database), bytes)
  })

  it('has nothing to copy where there is no broker', async () => {
    const { code } = await workspace.run(['backup', 'copy.db'])
    assert.equal(code, 3)
    assert.deepEqual(fs.readdirSync(workspace.folder), [])
  })
})

describe('jobq doctor', () => {
  it('finds a sound broker sound', async () => {
    await workspace.output(['enqueue', '--delay', '1h', '--', 'true'])
    const { ok, checks } = (await workspace.json(['doctor'])) as { ok: boolean; checks: Json[] }
    assert.equal(ok, true, JSON.stringify(checks))
    for (const check of checks) assert.deepEqual(Object.keys(check).sort(), ['detail', 'fix', 'name', 'ok'])
    assert.match(await workspace.output(['doctor']), /^\S.*\tok\t/)
  })

  it('counts the jobs that wait where nobody runs them', async () => {
    await workspace.output(['enqueue', '--batch'], { input: '{"task":"t"}\n'.repeat(3) })
    const { code, stdout } = await workspace.run(['doctor'])
    assert.equal(code, 1)
    assert.match(stdout, /^workers\tWRONG\t0 online, 3 jobs ready$/m)
  })

  it('exits 1 for one that is not, says what to do, and leaves it as it is', async () => {
    const file = workspace.write('notes.txt', 'no database at all, just a text that is long enough. '.repeat(10))
    const before = fs.readFileSync(file)
    const { code, stdout, stderr } = await workspace.run(['doctor', '-b', file])
    assert.equal(code, 1)
    assert.match(stdout, /\tWRONG\t/)
    assert.notEqual(stderr, '')
    assert.deepEqual(fs.readFileSync(file), before)
    const answer = await workspace.run(['doctor', '-b', file, '--json'])
    assert.deepEqual([answer.code, JSON.parse(answer.stdout).ok], [1, false])
  })
})

describe('a broker that lacks a part of a table', () => {
  it('is of no use, and says what it lacks', async () => {
    await workspace.output(['enqueue', '--', 'true'])
    const database = openDatabase(workspace.database)
    database.exec('DROP TABLE jobq_ready; CREATE TABLE jobq_ready(queue, rank, due_at, job)')
    database.close()
    for (const words of [['enqueue', '--', 'true'], ['enqueue', '--batch'], ['queues']]) {
      const { code, stderr } = await workspace.run(words, { input: '{"task":"t"}\n' })
      assert.equal(code, 78, `${words.join(' ')}: ${stderr}`)
      assert.match(stderr, /^jobq: .* lacks a part of jobq's schema: /m)
    }
  })
})

describe('a broker that lacks a table', () => {
  it('is told as one by doctor, and is of no use', async () => {
    await workspace.output(['enqueue', '--', 'true'])
    const database = openDatabase(workspace.database)
    database.exec('DROP TABLE jobq_workers; DROP TABLE jobq_ready')
    database.close()
    const answer = await workspace.run(['doctor'])
    assert.equal(answer.code, 1, answer.stderr)
    assert.match(answer.stdout, /^tables\tWRONG\t.*no such table: jobq_ready/m)
    for (const words of [['enqueue', '--', 'true'], ['queues'], ['workers']]) {
      const { code, stderr } = await workspace.run(words)
      assert.equal(code, 78, `${words[0]}: ${stderr}`)
      assert.match(stderr, /jobs\.db lacks a part of jobq's schema: no such table/)
    }
  })
})

it('a broker is made under any umask', async () => {
  const mask = ['sh', '-c', 'umask 0777; exec "$@"', 'sh']
  const file = path.join(workspace.folder, 'one', 'two', 'jobs.db')
  await workspace.output(['-b', file, 'enqueue', '--', 'true'], { prefix: mask })
  for (const place of [path.dirname(file), path.dirname(path.dirname(file))]) {
    assert.equal(fs.statSync(place).mode & 0o777, 0o700)
  }
})

describe('jobq migrate', () => {
  it('says that there is nothing to do', async () => {
    await workspace.output(['enqueue', '--', 'true'])
    assert.match(await workspace.output(['migrate']), /^schema \d+ is up to date\n$/)
    const { from, to, dryRun } = (await workspace.json(['migrate', '--dry-run'])) as Json
    assert.deepEqual([from === to, dryRun], [true, true])
  })
})

describe('a broker that cannot be used', () => {
  const text = 'no database at all, just a text that is long enough. '.repeat(10)
  const cases: readonly (readonly [what: string, make: () => string])[] = [
    ['a file of another kind', () => workspace.write('text.db', text)],
    [
      'a symbolic link',
      () => {
        const link = path.join(workspace.folder, 'link.db')
        fs.symlinkSync(workspace.write('target.db', ''), link)
        return link
      },
    ],
    ['a folder', () => fs.mkdirSync(path.join(workspace.folder, 'folder'), { recursive: true }) ?? workspace.folder],
  ]
  for (const [what, make] of cases) {
    it(`is refused with 78 and left as it is: ${what}`, async () => {
      const file = make()
      const before = fs.statSync(file).isFile() ? fs.readFileSync(file) : null
      for (const parameters of [
        ['enqueue', '--', 'true'],
        ['enqueue', '--tag', 'x', '--', 'true'],
        ['ls'],
        ['run', '--drain'],
        ['pause', 'a'],
      ]) {
        const { code, stdout, stderr } = await workspace.run(['-b', file, ...parameters])
        assert.equal(code, 78, `${parameters.join(' ')}: ${stderr}`)
        assert.equal(stdout, '')
        assert.ok(stderr.includes(path.basename(file)), stderr)
      }
      if (before !== null) assert.deepEqual(fs.readFileSync(file), before)
    })
  }

  it('is adopted when it is an empty file', async () => {
    const file = workspace.write('empty.db', '')
    assert.equal(await workspace.output(['-b', file, 'enqueue', '--', 'true']), '1\n')
  })
})
