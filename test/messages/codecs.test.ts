// Every serializer with every compressor, from whoever enqueues through the worker and its children and back.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { checkConfig } from '../../src/config.ts'
import { messagesBy } from '../../src/envelope/message-settings.ts'
import { connect, systemClock } from '../../src/index.ts'
import { Workspace } from '../support/cli.ts'
import { configuration, list, runAll, show } from './scenery.ts'

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

const serializers = ['json', 'msgpack', 'yaml', 'v8', 'backwards'] as const
const compressors = ['none', 'gzip', 'zlib', 'bzip2', 'zstd', 'brotli', 'halves'] as const
const pairs = serializers.flatMap((serializer) => compressors.map((compress) => ({ serializer, compress })))
const recorded = {
  json: 'json',
  msgpack: 'msgpack',
  yaml: 'yaml',
  v8: 'v8',
  backwards: 'application/x-backwards; charset=utf-8',
}
const payload = {
  text: 'ann and bob, '.repeat(200),
  numbers: [1, -2.5, 1e300, 2 ** 40],
  nothing: null,
  yes: true,
  ä: { '': [] },
}

const config = configuration(`accept: ['json', 'msgpack', 'yaml', 'v8', 'backwards']`)

const writePrograms = (): void => {
  workspace.write('tasks/echo.js', 'export default (payload) => payload\n')
  workspace.write('tasks/cat.sh', '#!/bin/sh\ncat >&3\n', 0o755)
  workspace.write(
    'tasks/parent.js',
    'export default ({ task, payload, options }, job) => job.enqueue(task, payload, options)\n',
  )
}

describe('serializers and compressors', () => {
  it('carry payloads to tasks, executables and commands, chosen by the job', async () => {
    writePrograms()
    workspace.write('worker.config.mjs', config)
    const withConfig = ['--config', 'worker.config.mjs']
    const lines = pairs.flatMap((coding) => [
      { task: 'echo', payload, ...coding },
      { task: 'cat', payload, ...coding },
      { argv: ['sh', '-c', 'test "$0" = "$1"', payload.text, payload.text], ...coding },
    ])
    const input = lines.map((line) => JSON.stringify(line)).join('\n')
    await workspace.output([...withConfig, 'enqueue', '--batch'], { input })
    await runAll(workspace, ...withConfig)
    const jobs = await list(workspace, ...withConfig)
    assert.equal(jobs.length, lines.length)
    for (const [index, job] of jobs.entries()) {
      const line = lines[index]
      assert.ok(line)
      const { serializer, compress } = line
      const about = `${job.task} ${serializer} ${compress}: ${JSON.stringify(job.error)}`
      assert.deepEqual([job.state, job.serializer], ['succeeded', recorded[serializer]], about)
      assert.equal(job.compression, compress === 'none' ? null : compress, about)
      if ('argv' in line) continue
      assert.deepEqual(job.payload, payload, about)
      assert.deepEqual(job.result, payload, about)
    }
  })

  it('write payloads and results as the definition of the task says, for enqueuers who know only its name', async () => {
    for (const { serializer, compress } of pairs)
      workspace.write(
        `tasks/${serializer}/${compress}.js`,
        `export const options = { serializer: '${serializer}', compress: '${compress}' }\nexport default (payload) => payload\n`,
      )
    workspace.write('worker.config.mjs', config)
    const withConfig = ['--config', 'worker.config.mjs']
    // A worker must have told of them once.
    await runAll(workspace, ...withConfig)
    const input = pairs.map(({ serializer, compress }) =>
      JSON.stringify({ task: `${serializer}/${compress}`, payload }),
    )
    await workspace.output([...withConfig, 'enqueue', '--batch'], { input: input.join('\n') })
    // Without a configuration there is the short way, which has to leave this to the full command.
    await workspace.output(['enqueue', 'msgpack/zstd', JSON.stringify(payload)])
    const unknown = await workspace.run(['enqueue', 'backwards/none', '{}'])
    assert.deepEqual([unknown.code, unknown.stderr], [2, 'jobq: no serializer "backwards"\n'])
    await runAll(workspace, ...withConfig)
    const jobs = await list(workspace, ...withConfig)
    for (const [index, { serializer, compress }] of [
      ...pairs,
      { serializer: 'msgpack', compress: 'zstd' } as const,
    ].entries()) {
      const job = jobs[index]
      assert.ok(job)
      const about = `${job.task}: ${JSON.stringify(job.error)}`
      assert.deepEqual(
        [job.task, job.state, job.serializer],
        [`${serializer}/${compress}`, 'succeeded', recorded[serializer]],
        about,
      )
      assert.equal(job.compression, compress === 'none' ? null : compress, about)
      assert.deepEqual([job.payload, job.result], [payload, payload], about)
    }
    assert.equal(jobs.length, pairs.length + 1)
  })

  it('are chosen by the job over taskOptions over the definition over the defaults', async () => {
    const define = (options: string): string =>
      `export const options = { ${options} }\nexport default (payload) => payload\n`
    workspace.write('tasks/plain.js', define(''))
    workspace.write('tasks/defined.js', define("serializer: 'msgpack', compress: 'gzip'"))
    workspace.write('tasks/overridden.js', define("serializer: 'msgpack', compress: 'gzip'"))
    workspace.write(
      'worker.config.mjs',
      `export default { defaults: { serializer: 'yaml', compress: 'zlib' }, taskOptions: { overridden: { serializer: 'json', compress: 'brotli' } } }`,
    )
    const withConfig = ['--config', 'worker.config.mjs']
    await runAll(workspace, ...withConfig)
    const add = async (...parameters: string[]) =>
      (await workspace.output(['enqueue', ...parameters, JSON.stringify(payload)])).trim()
    const ids = [
      await add('plain'),
      await add('defined'),
      await add('overridden'),
      await add('--serializer', 'yaml', '--compress', 'bzip2', 'overridden'),
      await add('--compress', 'none', 'defined'),
    ]
    await runAll(workspace, ...withConfig)
    const found = []
    for (const id of ids) {
      const job = await show(workspace, id)
      assert.deepEqual([job.state, job.payload, job.result], ['succeeded', payload, payload])
      found.push([job.serializer, job.compression])
    }
    assert.deepEqual(found, [
      ['yaml', 'zlib'],
      ['msgpack', 'gzip'],
      ['json', 'brotli'],
      ['yaml', 'bzip2'],
      ['msgpack', null],
    ])
  })

  it('keep what a task enqueues, and what an application does', async () => {
    writePrograms()
    workspace.write('worker.config.mjs', config)
    workspace.write(
      'tasks/rich.js',
      `export default async (payload, job) => {
        const kinds = { at: new Date(5), big: 2n ** 70n, bytes: Uint8Array.of(0, 255) }
        return {
          msgpack: await job.enqueue('kinds', kinds, { serializer: 'msgpack' }),
          v8: await job.enqueue('kinds', { ...kinds, map: new Map([[1, new Set([2])]]) }, { serializer: 'v8' }),
          own: await job.enqueue('own', kinds),
        }
      }\n`,
    )
    const kinds = `({ at, big, bytes, map }) => ({
      at: at instanceof Date && at.getTime(), big: big === 2n ** 70n, bytes: bytes instanceof Uint8Array && [...bytes],
      map: map instanceof Map && map.get(1).has(2),
    })\n`
    workspace.write('tasks/kinds.js', `export default ${kinds}`)
    workspace.write('tasks/own.js', `export const options = { serializer: 'msgpack' }\nexport default ${kinds}`)
    const withConfig = ['--config', 'worker.config.mjs']
    const messages = messagesBy(checkConfig({ accept: ['json', 'msgpack', 'v8'] }), systemClock)
    const queue = await connect(workspace.database, { messages })
    try {
      const parent = await queue.enqueue('rich')
      const mine = await queue.enqueue(
        'kinds',
        { at: new Date(5), big: 2n ** 70n, bytes: Uint8Array.of(0, 255), map: new Map([[1, new Set([2])]]) },
        { serializer: 'v8' },
      )
      await assert.rejects(queue.enqueue('kinds', { big: 5n }), { code: 'usage', message: /\$\.big/ })
      await runAll(workspace, ...withConfig)
      const { result, error } = (await queue.get(parent)) ?? {}
      assert.equal(error, null)
      const { msgpack, v8, own } = result as Record<string, number>
      const expected = { at: 5, big: true, bytes: [0, 255], map: false }
      assert.deepEqual((await queue.get(msgpack ?? 0))?.result, expected)
      assert.deepEqual((await queue.get(own ?? 0))?.result, expected)
      assert.deepEqual((await queue.get(v8 ?? 0))?.result, { ...expected, map: true })
      assert.deepEqual((await queue.get(mine))?.result, { ...expected, map: true })
      assert.deepEqual((await show(workspace, msgpack ?? 0)).payload, {
        at: '1970-01-01T00:00:00.005Z',
        big: String(2n ** 70n),
        bytes: 'AP8=',
      })
    } finally {
      await queue.close()
    }
  })
})

describe('codecs that there are not', () => {
  it('are told when a worker starts, when tasks load, and before a job is written', async () => {
    const run = async (config: string): Promise<readonly [number | null, string]> => {
      workspace.write('jobq.config.mjs', `export default ${config}`)
      const { code, stderr } = await workspace.run(['run', '--drain'])
      return [code, stderr]
    }
    workspace.write('tasks/fine.js', 'export default () => 1\n')
    assert.deepEqual(await run("{ defaults: { serializer: 'msgpak' } }"), [
      2,
      'jobq: defaults: no serializer "msgpak"; did you mean msgpack?\n',
    ])
    assert.deepEqual(await run("{ taskOptions: { fine: { compress: 'zstdd' } } }"), [
      2,
      'jobq: taskOptions.fine: no compressor "zstdd"; did you mean zstd?\n',
    ])
    assert.deepEqual(await run("{ accept: ['msgpak'] }"), [
      2,
      'jobq: accept: no serializer "msgpak"; did you mean msgpack?\n',
    ])
    workspace.write('jobq.config.mjs', configuration(''))
    workspace.write(
      'tasks/own.js',
      "export const options = { serializer: 'backwards', compress: 'halves' }\nexport default () => 1\n",
    )
    await workspace.output(['tasks', '--check'])
    workspace.write('tasks/wrong.js', "export const options = { serializer: 'msgpak' }\nexport default () => 1\n")
    const checked = await workspace.run(['tasks', '--check'])
    assert.deepEqual(
      [checked.code, checked.stderr],
      [1, 'jobq: tasks/wrong.js: no serializer "msgpak"; did you mean msgpack?\n'],
    )
    const refused = await workspace.run(['enqueue', '--compress', 'zstdd', 'fine'])
    assert.deepEqual([refused.code, refused.stderr], [2, 'jobq: no compressor "zstdd"; did you mean zstd?\n'])
    assert.deepEqual(await list(workspace), [])
  })
})
