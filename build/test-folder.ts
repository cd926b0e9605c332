// Loaded before each test file by build/run-tests.ts: gives it a temporary directory that bears its name.
import fs from 'node:fs'
import path from 'node:path'

const { JOBQ_TEST_FOLDER: folder } = process.env
const file = process.argv[1]
if (folder !== undefined && file?.endsWith('.test.ts')) {
  const name = path.relative(path.join(path.dirname(import.meta.dirname), 'test'), file).replace(/\.test\.ts$/, '')
  process.env.TMPDIR = path.join(folder, name.replaceAll('..', '').replaceAll(path.sep, '-'))
  fs.mkdirSync(process.env.TMPDIR, { recursive: true })
  delete process.env.JOBQ_TEST_FOLDER
}
