import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { openSite } from './site.ts'

test('a full disk fails no job, nothing is claimed until there is room', async (context) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-full-'))
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=700', 'tmpfs', folder]).status !== 0) {
    fs.rmdirSync(folder)
    context.skip('needs the right to mount a file system')
    return
  }
  const site = await openSite(context)
  context.after(() => {
    spawnSync('umount', [folder])
    fs.rmdirSync(folder)
  })
  const ballast = path.join(folder, 'ballast')
  const noticed = (text: string) =>
    until(text, () => site.said.some(({ message }) => message?.includes(folder) && message.includes(text)))
  await site.start({ outputFolder: path.join(folder, 'logs') })
  const again = path.join(site.folder, 'again')
  const shell = `test -e ${again} && exit 0; touch ${again}; head -c 32m /dev/zero > ${ballast}; echo output`
  const id = await site.queue.enqueue(['/bin/sh', '-c', shell])
  await noticed('no space left on the device; nothing is claimed')
  const waiting = await site.reached(id, 'queued')
  const later = await site.queue.enqueue('note')
  assert.deepEqual([waiting.attempt, waiting.error], [1, null])
  const events = await site.events(id)
  assert.ok(events.some(({ type }) => type === 'job.recovered'))
  fs.rmSync(ballast)
  await noticed('the broker is back in use')
  const done = await site.reached(id, 'succeeded')
  assert.equal(done.attempt, 1)
  await site.reached(later, 'succeeded')
})
