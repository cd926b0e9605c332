// `npm test`: the checks, the binary, then every test, those of the command line through the binary. With arguments, only
// those test files. It fails too when something is still running afterwards.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const root = path.dirname(import.meta.dirname)
const chosen = process.argv.slice(2)
const files = chosen.length > 0 ? chosen : fs.globSync('test/**/*.test.ts', { cwd: root }).sort()

if (chosen.length === 0) run(['build/check.ts'])
run(['build/binary.ts'])
run(['build/run-tests.ts', ...files])

function run(parameters: string[]): void {
  const { status, signal, error } = spawnSync(process.execPath, parameters, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, JOBQ_BINARY: path.join(root, 'dist', process.platform === 'win32' ? 'jobq.exe' : 'jobq') },
  })
  if (error) throw error
  if (status !== 0) {
    console.error(`${parameters[0]} failed${signal === null ? '' : ` (${signal})`}`)
    process.exit(status ?? 1)
  }
}
