import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'

const root = path.dirname(path.dirname(import.meta.dirname))
const binary = path.resolve(process.env.JOBQ_BINARY ?? path.join(root, 'dist', 'jobq'))

/** The commands of README.md's tour, as they stand there. */
const tour = (): string => {
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8')
  const chapter = /^## A tour$([\s\S]*?)^## /m.exec(readme)?.[1] ?? ''
  return [...chapter.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block).join('')
}

/** Runs a script with bash, a line of its trace (`+ command`) before what each command prints. */
const runScript = async (script: string, folder: string): Promise<{ code: number | null; output: string }> => {
  const child = spawn('bash', ['-e', '-u', '-o', 'pipefail', '-c', `exec 2>&1\nset -x\n${script}`], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, TZ: 'UTC', LANG: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  child.stdout.on('data', (text) => {
    output += text
  })
  child.stderr.on('data', (text) => {
    output += text
  })
  const { pid } = child
  const timer = setTimeout(() => pid === undefined || process.kill(-pid, 'SIGKILL'), 120_000)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearTimeout(timer)
  return { code, output }
}

describe('the tour of the README', () => {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-tour-'))
  after(() => fs.rmSync(parent, { recursive: true, force: true }))

  test('works with the binary alone in an empty folder whose path has spaces', async () => {
    const folder = path.join(parent, 'an empty folder')
    fs.mkdirSync(folder)
    fs.copyFileSync(binary, path.join(folder, 'jobq'), fs.constants.COPYFILE_FICLONE)
    const script = tour()
    assert.match(script, /\.\/jobq run --drain/)
    const { code, output } = await runScript(script, folder)
    assert.equal(code, 0, output)
    const told = (pattern: RegExp): void => assert.match(output, pattern)
    told(/jobq why 1\nno-worker\tno worker is running\n/)
    told(/jobq logs 1\nhello from a job\n/)
    told(/jobq tasks\nreport\/primes\tmodule\t/)
    told(/found 2262 primes\n/)
    told(/\nresult\t\{"count":2262,"last":19997\}\n/)
    told(/jobq wait 3\n3\tsucceeded\t/)
    told(/jobq logs 3 --attempt 1\nattempt 1\n/)
    told(/jobq why 4\nnot-due\tnot due until /)
    told(/-- cat built\.txt\none\n/)
    const uniques = [...output.matchAll(/--unique nightly --delay 1d -- true\n(\d+)\n/g)].map(([, id]) => id)
    assert.equal(uniques.length, 2)
    assert.equal(uniques[0], uniques[1])
    told(/jobq stats\nblocked\t0\n/)
    const batch = fs.readFileSync(path.join(folder, 'batch.ndjson'), 'utf8').trimEnd().split('\n')
    assert.equal(batch.length, 100)
    assert.match(fs.readFileSync(path.join(folder, 'worker.log'), 'utf8'), /has ended\n$/)
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => !name.startsWith('queue.db') && !name.startsWith('.')),
      ['batch.ndjson', 'built.txt', 'jobq', 'tasks', 'worker.log'],
    )
  })
})
