// Runs test files, and fails as well when a process that one of them started outlives the run. Every test file gets a
// temporary directory of its own, named after it: its path is in the environment, the arguments or the working
// directory of whatever the file starts, and tells whose it is. `node build/run-tests.ts FILE…`
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { leftFiles, leftProcesses } from './left-over.ts'

const root = path.dirname(import.meta.dirname)
const folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'jobq-test-'))
// Some tests do things as another user, who must be able to get there.
fs.chmodSync(folder, 0o755)
const ownFolder = path.join(import.meta.dirname, 'test-folder.ts')

try {
  process.exitCode = (await run(process.argv.slice(2))) ? 0 : 1
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}

async function run(files: readonly string[]): Promise<boolean> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, error } = spawnSync(
    process.execPath,
    ['--import', ownFolder, '--test', '--test-concurrency=2', ...files],
    { cwd: root, stdio: 'inherit', env: { ...env, TMPDIR: folder, JOBQ_TEST_FOLDER: folder } },
  )
  if (error) throw error
  const left = await leftProcesses(folder)
  for (const { pid, file, command } of left) console.error(`left running by ${file}: ${pid} ${command}`)
  for (const { pid } of left) process.kill(pid, 'SIGKILL')
  for (const name of leftFiles(folder)) console.error(`left behind in the temporary directory: ${name}`)
  return status === 0 && left.length === 0
}
