// The descriptors between a worker and its children: nothing that a job starts has them, and one of them may be missing.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { commandFd, reportFd } from '../../src/pool/protocol.ts'
import { cardFd } from '../../src/pool/time-card.ts'
import { jobOf, startPool } from './pool-fixture.ts'

const script = `for fd in ${commandFd} ${reportFd} ${cardFd}; do if [ -e /dev/fd/$fd ]; then echo "has $fd"; fi; done; echo done`

test('programs that a job starts have none of the wires of its child', async (context) => {
  const { outcomeOf, outputOf } = await startPool(context, {
    'spawns.mjs': `import { execFileSync, spawnSync } from 'node:child_process'
export default (script) => [
  execFileSync('sh', ['-c', script], { encoding: 'utf8' }),
  spawnSync('sh', ['-c', script], { stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' }).stdout,
]`,
    'program.sh': `#!/bin/sh\nexec 3>&-\n${script}`,
  })
  const command = jobOf('exec', { shell: script })
  assert.equal((await outcomeOf(command)).type, 'succeeded')
  assert.equal(outputOf(command), 'done\n')
  const program = jobOf('program')
  assert.equal((await outcomeOf(program)).type, 'succeeded')
  assert.equal(outputOf(program), 'done\n', 'but for its own descriptor 3, which it has closed')
  const result = JSON.stringify(['done\n', 'done\n'])
  assert.deepEqual(await outcomeOf(jobOf('spawns', script)), { type: 'succeeded', result })
})

test('limits hold without a time card', async (context) => {
  // Taken names leave no place for one.
  const taken = ['/dev/shm', os.tmpdir()]
    .filter((folder) => fs.existsSync(folder))
    .flatMap((folder) => Array.from({ length: 100 }, (_, at) => path.join(folder, `.jobq-${process.pid}-${at}`)))
  for (const file of taken) fs.writeFileSync(file, '')
  context.after(() => {
    for (const file of taken) fs.rmSync(file)
  })
  const { outcomeOf, child } = await startPool(
    context,
    { 'noop.mjs': 'export default () => {}', 'busy.mjs': 'export default () => { for (;;); }' },
    { limitsOf: () => ({ softMs: null, hardMs: 300, softSignal: 'SIGTERM' }) },
  )
  const { pid } = child()
  for (let run = 0; run < 3; run += 1) assert.equal((await outcomeOf(jobOf('noop'))).type, 'succeeded')
  assert.equal(child().pid, pid)
  const overdue = await outcomeOf(jobOf('busy'))
  assert.equal(overdue.type === 'failed' && overdue.error.type, 'TimeLimitExceeded')
})
