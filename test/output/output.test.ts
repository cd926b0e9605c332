import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { OutputStream } from '../../src/output/output-path.ts'
import { followOutput, type OutputChunk, outputAttempts, readOutput } from '../../src/output/output-reader.ts'
import { OutputWriter } from '../../src/output/output-writer.ts'
import { ProgressLineFilter, parseProgressLine } from '../../src/output/progress-line.ts'
import { removeOutput } from '../../src/output/remove-output.ts'

const folderOf = (context: TestContext): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-output-'))
  context.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  return path.join(folder, 'jobs.db.logs')
}

const text = (chunks: readonly OutputChunk[]): string => chunks.map(({ data }) => data.toString('utf8')).join('')

const write = (folder: string, key: { id: number; attempt: number }, ...pieces: [OutputStream, string][]): void => {
  const writer = new OutputWriter(folder, key)
  for (const [stream, piece] of pieces) writer.write(stream, Buffer.from(piece))
  writer.close()
}

const filesIn = (folder: string): string[] =>
  fs.existsSync(folder)
    ? fs
        .readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => fs.statSync(path.join(folder, name)).isFile())
    : []

test('both streams come in the order in which they were written, or each alone', (context) => {
  const folder = folderOf(context)
  const stream = fc.constantFrom<OutputStream>('stdout', 'stderr')
  const pieces = fc.array(fc.tuple(stream, fc.string({ unit: 'binary', minLength: 1 })), { maxLength: 40 })
  let id = 0
  fc.assert(
    fc.property(pieces, (written) => {
      id += 1
      write(folder, { id, attempt: 1 }, ...written)
      const safe = written.filter(([, piece]) => !piece.includes('JOBQ_PROGRESS'))
      fc.pre(safe.length === written.length)
      const all = (only?: OutputStream) =>
        Buffer.concat(written.filter(([each]) => !only || each === only).map(([, piece]) => Buffer.from(piece)))
      const read = (only?: OutputStream) =>
        Buffer.concat(readOutput(folder, id, only ? { stream: only } : {}).map(({ data }) => data))
      assert.deepEqual(read(), all())
      assert.deepEqual(read('stdout'), all('stdout'))
      assert.deepEqual(read('stderr'), all('stderr'))
    }),
    { numRuns: 60 },
  )
})

test('attempts are apart; the latest is read unless another is named', (context) => {
  const folder = folderOf(context)
  write(folder, { id: 7, attempt: 1 }, ['stdout', 'first'])
  write(folder, { id: 7, attempt: 2 }, ['stdout', 'second'])
  write(folder, { id: 70, attempt: 9 }, ['stdout', 'another job'])
  assert.deepEqual(outputAttempts(folder, 7), [1, 2])
  assert.equal(text(readOutput(folder, 7)), 'second')
  assert.equal(text(readOutput(folder, 7, { attempt: 1 })), 'first')
  assert.deepEqual(readOutput(folder, 7, { attempt: 3 }), [])
  assert.deepEqual(readOutput(folder, 8), [])
})

test('a run with the same number goes on behind what an earlier one left', (context) => {
  const folder = folderOf(context)
  write(folder, { id: 1, attempt: 1 }, ['stdout', 'before the crash\n'])
  write(folder, { id: 1, attempt: 1 }, ['stdout', 'again\n'])
  assert.equal(text(readOutput(folder, 1)), 'before the crash\nagain\n')
})

test('too much is cut in the middle, the cut told with its size, the disk bounded throughout', (context) => {
  const folder = folderOf(context)
  const maxBytes = 8_000
  const writer = new OutputWriter(folder, { id: 1, attempt: 1 }, maxBytes)
  let all = ''
  for (let n = 0; n < 5_000; n++) {
    const line = `line ${n}\n`
    all += line
    writer.write('stdout', Buffer.from(line))
    if (n % 500 !== 499) continue
    const bytes = filesIn(folder).reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0)
    assert.ok(bytes <= maxBytes + 100, `${bytes} bytes`)
  }
  writer.close()
  const kept = text(readOutput(folder, 1))
  const cut = /\n\[jobq: (\d+) bytes of output were cut here\]\n/.exec(kept)
  assert.ok(cut)
  const [head, tail] = [kept.slice(0, cut.index), kept.slice(cut.index + cut[0].length)]
  assert.ok(head.length >= maxBytes / 4 && all.startsWith(head))
  assert.ok(tail.length >= maxBytes / 8 && all.endsWith(tail))
  assert.equal(head.length + tail.length + Number(cut[1]), all.length)

  const again = new OutputWriter(folder, { id: 1, attempt: 1 }, maxBytes)
  again.write('stdout', Buffer.from('another run\n'))
  again.close()
  assert.ok(text(readOutput(folder, 1)).endsWith(`${tail}another run\n`))
})

test('a single huge piece, and two full streams, stay within bounds', (context) => {
  const folder = folderOf(context)
  const writer = new OutputWriter(folder, { id: 1, attempt: 1 }, 1_000_000)
  writer.write('stdout', Buffer.alloc(20_000_000, 'a'))
  writer.write('stderr', Buffer.alloc(20_000_000, 'b'))
  writer.close()
  const bytes = filesIn(folder).reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0)
  assert.ok(bytes <= 1_001_000, `${bytes} bytes`)
  for (const stream of ['stdout', 'stderr'] as const) {
    const kept = text(readOutput(folder, 1, { stream }))
    assert.match(kept, /^(a+|b+)\n\[jobq: \d+ bytes of output were cut here\]\n(a+|b+)$/)
  }
})

test('what a command writes through its descriptor is looked after', (context) => {
  const folder = folderOf(context)
  const writer = new OutputWriter(folder, { id: 1, attempt: 1 }, 4_000)
  const [out, err] = [writer.open('stdout'), writer.open('stderr')]
  for (const round of ['one', 'two', 'three']) {
    execFileSync('sh', ['-c', `echo ${round}; echo ${round} >&2; [ ${round} = three ] && seq 1 2000; true`], {
      stdio: ['ignore', out.fd, err.fd],
    })
    assert.ok(writer.observe() > 0)
  }
  assert.equal(writer.observe(), 0)
  writer.close()
  assert.match(text(readOutput(folder, 1)), /^one\none\ntwo\ntwo\nthree\n1\n.*cut here.*\n2000\nthree\n$/s)
})

test('files are private whatever the umask, empty ones are not left behind, nothing follows a symlink', (context) => {
  const folder = folderOf(context)
  const before = process.umask(0)
  context.after(() => process.umask(before))
  write(folder, { id: 1, attempt: 1 }, ['stdout', 'a'], ['stderr', 'b'])
  process.umask(0o777)
  write(folder, { id: 2, attempt: 1 }, ['stdout', 'a'])
  process.umask(before)
  const modes = [folder, path.join(folder, '0'), ...filesIn(folder).map((name) => path.join(folder, name))].map(
    (file) => fs.statSync(file).mode & 0o777,
  )
  assert.deepEqual(modes, [0o700, 0o700, 0o600, 0o600, 0o600, 0o600])

  const unused = new OutputWriter(folder, { id: 3, attempt: 1 })
  unused.open('stdout')
  unused.open('stderr')
  unused.close()
  assert.deepEqual(outputAttempts(folder, 3), [])

  const victim = path.join(path.dirname(folder), 'victim')
  fs.writeFileSync(victim, 'precious')
  fs.symlinkSync(victim, path.join(folder, '0', '4.1.out'))
  assert.throws(() => write(folder, { id: 4, attempt: 1 }, ['stdout', 'x']), { code: 'ELOOP' })
  assert.throws(() => readOutput(folder, 4), { code: 'ELOOP' })
  assert.equal(fs.readFileSync(victim, 'utf8'), 'precious')
})

test('a symlink in place of the folder is refused', (context) => {
  const folder = folderOf(context)
  fs.symlinkSync('/nowhere', folder)
  assert.throws(() => write(folder, { id: 1, attempt: 1 }, ['stdout', 'x']), { code: 'unusable' })
})

test('removing takes all of the named jobs and nothing else', (context) => {
  const folder = folderOf(context)
  for (const id of [1, 2, 1_001, 12, 5_000])
    write(folder, { id, attempt: 1 }, ['stdout', 'a'], ['stderr', 'b'], ['stdout', 'c'])
  write(folder, { id: 2, attempt: 2 }, ['stdout', 'x'])
  fs.writeFileSync(path.join(folder, '0', 'notes.txt'), 'not ours')
  removeOutput(folder, [2, 1_001, 5_000, 77, 9_999_999])
  assert.deepEqual(filesIn(folder).sort(), [
    '0/1.1.err',
    '0/1.1.out',
    '0/1.1.seq',
    '0/12.1.err',
    '0/12.1.out',
    '0/12.1.seq',
    '0/notes.txt',
  ])
  assert.deepEqual(fs.readdirSync(folder), ['0'])
})

test('following gives what is there and what comes, through a cut and further attempts, and ends', async (context) => {
  const folder = folderOf(context)
  const writer = new OutputWriter(folder, { id: 1, attempt: 1 }, 2_000)
  writer.write('stdout', Buffer.from('before\n'))
  const stop = new AbortController()
  const seen: OutputChunk[] = []
  let look = () => {}
  const until = async (holds: () => boolean) => {
    while (!holds())
      await new Promise<void>((resolve) => {
        look = resolve
      })
  }
  const following = (async () => {
    for await (const chunk of followOutput(folder, 1, { signal: stop.signal, intervalMs: 5 })) {
      seen.push(chunk)
      look()
    }
  })()
  await until(() => text(seen) === 'before\n')
  writer.write('stderr', Buffer.from('error\n'))
  writer.write('stdout', Buffer.from('after'))
  await until(() => text(seen) === 'before\nerror\nafter')
  assert.deepEqual(
    seen.map(({ stream }) => stream),
    ['stdout', 'stderr', 'stdout'],
  )
  writer.write('stdout', Buffer.alloc(1_500, 'x'))
  await until(() => text(seen).length === 1_518)
  for (let n = 0; n < 10; n++) writer.write('stdout', Buffer.alloc(1_000, String(n)))
  await until(() => text(seen).endsWith('9'))
  assert.match(text(seen), /x\n\[jobq: \d+ bytes of output were cut here\]\n.*9$/)
  writer.close()
  write(folder, { id: 1, attempt: 2 }, ['stdout', 'second attempt\nJOBQ_PROG'])
  await until(() => text(seen).endsWith('second attempt\n'))
  stop.abort()
  await following
  assert.ok(text(seen).endsWith('second attempt\nJOBQ_PROG'), 'what was held back comes at the end')
})

test('following a job without output waits for it', async (context) => {
  const folder = folderOf(context)
  const stop = new AbortController()
  const chunks = followOutput(folder, 5, { signal: stop.signal, intervalMs: 5 })
  const first = chunks.next()
  write(folder, { id: 5, attempt: 1 }, ['stderr', 'here'])
  assert.deepEqual((await first).value, { stream: 'stderr', data: Buffer.from('here') })
  stop.abort()
  assert.equal((await chunks.next()).done, true)
})

test('progress lines are understood', () => {
  assert.deepEqual(parseProgressLine('JOBQ_PROGRESS 0.5 half way\r'), { fraction: 0.5, text: 'half way' })
  assert.deepEqual(parseProgressLine('JOBQ_PROGRESS 1'), { fraction: 1, text: null })
  assert.deepEqual(parseProgressLine('JOBQ_PROGRESS .25 '), { fraction: 0.25, text: null })
  for (const line of [
    'JOBQ_PROGRESS',
    'JOBQ_PROGRESS x',
    'JOBQ_PROGRESS -1',
    'JOBQ_PROGRESS 5 x',
    'JOBQ_PROGRESS 1.01',
    'JOBQ_PROGRESS NaN',
    ' JOBQ_PROGRESS 1',
    'JOBQ_PROGRESSES 1',
    '',
  ]) {
    assert.equal(parseProgressLine(line), null, line)
  }
})

test('progress lines, and nothing else, are taken out of a stream, however it is cut into pieces', () => {
  const line = fc.constantFrom(
    'JOBQ_PROGRESS 0.5 x',
    'JOBQ_PROGRESS',
    'JOBQ_PRO',
    'text',
    '',
    'a JOBQ_PROGRESS 1',
    'JOBQ_PROGRESS no',
  )
  fc.assert(
    fc.property(
      fc.array(line),
      fc.boolean(),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (lines, closed, sizes) => {
        const whole = Buffer.from(lines.join('\n') + (closed ? '\n' : ''))
        const filter = new ProgressLineFilter()
        const kept: Buffer[] = []
        for (let at = 0; at < whole.length; ) {
          const size = sizes.next().value ?? 1
          kept.push(filter.push(whole.subarray(at, at + size)))
          at += size
        }
        kept.push(filter.end())
        const expected = whole
          .toString()
          .split(/(?<=\n)/)
          .filter((each) => !/^JOBQ_PROGRESS 0\.5 x\n?$/.test(each))
        assert.equal(Buffer.concat(kept).toString(), expected.join(''))
      },
    ),
  )
})
