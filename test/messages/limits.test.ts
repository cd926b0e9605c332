// How large payloads and results may be, also those that only grow when they are unpacked.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import zlib from 'node:zlib'
import { Compressors } from '../../src/envelope/compressors/compressors.ts'
import { Workspace } from '../support/cli.ts'
import { configuration, list, runAll, show, tamper } from './scenery.ts'

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

const huge = Buffer.concat([Buffer.alloc(64 * 1024 ** 2, ' '), Buffer.from('1')])
const bombs: Readonly<Record<string, () => Uint8Array>> = {
  gzip: () => zlib.gzipSync(huge),
  zlib: () => zlib.deflateSync(huge),
  brotli: () => zlib.brotliCompressSync(huge, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } }),
  zstd: () => zlib.zstdCompressSync(huge),
  bzip2: () => new Compressors().compress('bzip2', huge),
  halves: () => zlib.deflateSync(huge.map((byte) => 255 - byte)),
}
const aliases = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join()}]\n`).join('')}`

describe('what is too large', () => {
  it('is not written: a payload above maxPayload, by whatever serializer', async () => {
    workspace.write('jobq.config.json', '{"maxPayload": "4k"}')
    const payload = JSON.stringify('x'.repeat(5_000))
    for (const coding of [[], ['--serializer', 'msgpack'], ['--compress', 'gzip']]) {
      const refused = await workspace.run(['enqueue', ...coding, 'echo', '-'], { input: payload })
      assert.deepEqual([refused.code, refused.stderr], [2, 'jobq: the payload is too large: more than 4k\n'])
    }
    assert.deepEqual(await list(workspace), [])
  })

  it('is not unpacked: bombs for each compressor and serializer are rejected, and the worker lives', async () => {
    workspace.write('tasks/echo.js', 'export default (payload) => payload\n')
    workspace.write('tasks/cat.sh', '#!/bin/sh\ncat >&3\n', 0o755)
    workspace.write('jobq.config.mjs', configuration(''))
    const forged = [
      ...Object.entries(bombs).map(([compression, make]) => ({ compression, data: make(), serializer: null })),
      { compression: null, serializer: 'application/yaml', data: Buffer.from(aliases) },
      { compression: null, serializer: 'application/vnd.msgpack', data: Buffer.from('ddffffffff', 'hex') },
      { compression: null, serializer: null, data: Buffer.from(`${'['.repeat(200)}${']'.repeat(200)}`) },
    ]
    const input = forged.flatMap(() => ['{"task":"echo"}', '{"task":"cat"}', '{"argv":["true"]}']).join('\n')
    await workspace.output(['enqueue', '--batch'], { input })
    for (const [index, { compression, serializer, data }] of forged.entries()) {
      const coding = compression === null ? null : JSON.stringify({ compression })
      tamper(
        workspace,
        'UPDATE jobq_jobs SET payload = ?, coding = ?, serializer = ? WHERE id BETWEEN ? AND ?',
        Buffer.from(data),
        coding,
        serializer,
        3 * index + 1,
        3 * index + 3,
      )
    }
    const last = Number(await workspace.output(['enqueue', 'echo', '7']))
    const said = await runAll(workspace)
    assert.doesNotMatch(said, /child\.exited|out of memory|job\.recovered/)
    for (const job of await list(workspace)) {
      const about = JSON.stringify([job.task, forged[Math.floor((job.id - 1) / 3)], job.error]).slice(0, 300)
      if (job.id === last) assert.equal(job.result, 7)
      else assert.deepEqual([job.state, job.error?.type], ['failed', 'Rejected'], about)
    }
    const shown = await workspace.output(['show', '1'])
    assert.match(shown, /payload\tnot shown: unpacks to more than the allowed 1M/)
  })

  it('is no result: the job fails as ResultTooLarge, and nothing is cut', async () => {
    workspace.write('jobq.config.json', '{"maxResult": "4k"}')
    const text = "'x'.repeat(5_000)"
    workspace.write('tasks/plain.js', `export default () => ${text}\n`)
    workspace.write(
      'tasks/packed.js',
      `export const options = { serializer: 'msgpack', compress: 'gzip' }\nexport default () => ${text}\n`,
    )
    workspace.write(
      'tasks/fits.js',
      `export const options = { compress: 'gzip' }\nexport default () => 'x'.repeat(4_000)\n`,
    )
    workspace.write('tasks/program.sh', '#!/bin/sh\nprintf \'"%05000d"\' 1 >&3\n', 0o755)
    for (const task of ['plain', 'packed', 'program', 'fits']) await workspace.output(['enqueue', task])
    await runAll(workspace)
    const [plain, packed, program, fits] = await list(workspace)
    for (const job of [plain, packed, program]) {
      assert.deepEqual([job?.state, job?.error?.type, job?.result], ['failed', 'ResultTooLarge', null])
      assert.match(String(job?.error?.message), /^the result has more than 4096 bytes, the most that are kept$/)
    }
    assert.equal(fits?.result, 'x'.repeat(4_000))
    // A result that was put there by somebody else is not unpacked to be shown either.
    tamper(
      workspace,
      'UPDATE jobq_jobs SET result = ?, result_coding = ? WHERE id = ?',
      bombs.gzip?.(),
      JSON.stringify({ serializer: 'json', compression: 'gzip' }),
      fits?.id,
    )
    assert.match(await workspace.output(['show', String(fits?.id)]), /result\tnot shown: /)
  })
})

describe('what JSON cannot hold', () => {
  it('is kept in results, and shown in words that JSON has', async () => {
    workspace.write(
      'jobq.config.json',
      '{"accept": ["json", "msgpack", "v8"], "taskOptions": {"v8": {"serializer": "v8"}, "msgpack": {"serializer": "msgpack"}}}',
    )
    const rich = 'at: new Date(5), big: 2n ** 64n, bytes: new Uint8Array([1, 2]), not: NaN'
    workspace.write(
      'tasks/v8.js',
      `export default () => ({ ${rich}, map: new Map([['k', new Set([1])]]), none: undefined })\n`,
    )
    workspace.write('tasks/msgpack.js', `export default () => ({ ${rich} })\n`)
    workspace.write('tasks/json.js', `export default () => ({ big: 5n })\n`)
    for (const task of ['v8', 'msgpack', 'json']) await workspace.output(['enqueue', task])
    await runAll(workspace)
    const expected = { at: '1970-01-01T00:00:00.005Z', big: '18446744073709551616', bytes: 'AQI=', not: '[NaN]' }
    assert.deepEqual((await show(workspace, 1)).result, { ...expected, map: [['k', [1]]] })
    assert.deepEqual((await show(workspace, 2)).result, expected)
    assert.deepEqual(((await workspace.json(['wait', '2'])) as { result: unknown }).result, expected)
    const { state, error } = await show(workspace, 3)
    assert.deepEqual([state, error?.type], ['failed', 'InvalidResult'])
    assert.match(String(error?.message), /\$\.big/)
  })
})
