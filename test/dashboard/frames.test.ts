// What each tab looks like, at three sizes: the files beside this one. After a change that is meant, look at the difference:
// node --test --test-update-snapshots test/dashboard/frames.test.ts && git diff test/dashboard/frames
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { frame } from '../../cli/dashboard/frame.ts'
import { lineWidth } from '../../cli/dashboard/parts/line.ts'
import { paint } from '../../cli/dashboard/parts/paint.ts'
import { busyScene, openOn, pressUntil, screenOf } from './fixture.ts'

process.env.TZ = 'UTC'

const sizes = [
  { columns: 60, rows: 16 },
  { columns: 100, rows: 30 },
  { columns: 200, rows: 50 },
]

/** The keys that lead to a place, and what it shows then. */
const places: readonly (readonly [name: string, keys: readonly string[], shown: string])[] = [
  ['overview', [], 'running 1/2'],
  ['jobs', ['2'], '▶'],
  ['job', ['2', '/', ...'failed', 'enter'], '▶'],
  ['queues', ['3'], 'news'],
  ['workers', ['4'], 'children of w1'],
  ['events', ['5'], 'live'],
  ['failures', ['6'], 'no such mailbox'],
  ['help', ['?'], 'down a line'],
  ['past', ['{', '{'], 'the past'],
]

for (const size of sizes) {
  const { columns, rows } = size
  for (const [name, keys, shown] of places) {
    test(`${name} at ${columns}×${rows}`, async (context) => {
      const scene = await busyScene()
      const dashboard = await openOn(scene, size)
      context.after(() => dashboard.stop())
      await pressUntil(dashboard, keys, shown)
      if (name === 'job') await pressUntil(dashboard, ['enter'], 'why')
      if (name === 'past') await pressUntil(dashboard, [], '08:10:00')
      if (name === 'past') await pressUntil(dashboard, [], 'done 27')
      const lines = frame(dashboard.state)
      assert.equal(lines.length, rows)
      for (const line of lines) assert.equal(lineWidth(line), columns)
      const file = path.join(import.meta.dirname, 'frames', `${name}-${columns}x${rows}.txt`)
      context.assert.fileSnapshot(screenOf(dashboard), file, { serializers: [String] })
    })
  }
}

test('a window that is too small says so', async (context) => {
  const dashboard = await openOn(await busyScene(), { columns: 59, rows: 16 })
  context.after(() => dashboard.stop())
  assert.match(screenOf(dashboard), /^\n+make the window at least 60x16\n+$/)
})

test('every frame can be drawn in ASCII, without colours, and with 16 of them', async (context) => {
  const dashboard = await openOn(await busyScene(), { columns: 100, rows: 30 })
  context.after(() => dashboard.stop())
  for (const [, keys] of places) {
    for (const key of keys) dashboard.press(key)
    for (const line of frame(dashboard.state)) {
      const plain = paint(line, { color: false, weight: false, unicode: false })
      assert.match(plain, /^[\x20-\x7e]*$/)
      assert.equal(plain.length, 100)
      const codes = paint(line, { color: true, weight: true, unicode: true }).matchAll(/\x1b\[([\d;]*)m/g)
      for (const [, code = ''] of codes) assert.match(code, /^(0|1|2|7|3[0-7]|4[0-7]|9[0-7]|1;3\d|30;4\d)$/)
      const weights = paint(line, { color: false, weight: true, unicode: true })
      assert.doesNotMatch(weights, /\x1b\[(3|4|9)\d/)
    }
  }
})

test('a broker without anything says how to begin', async (context) => {
  const { Scene } = await import('../broker/conformance/scene.ts')
  const { MemoryBroker } = await import('../../src/broker/memory/memory-broker.ts')
  const dashboard = await openOn(new Scene(new MemoryBroker()), { columns: 80, rows: 24 })
  context.after(() => dashboard.stop())
  assert.match(screenOf(dashboard), /nothing waits: jobq enqueue -- echo hi/)
  await pressUntil(dashboard, ['2'], 'no jobs yet: jobq enqueue -- echo hi')
  await pressUntil(dashboard, ['4'], "no worker is running: start one with 'jobq run'")
  await pressUntil(dashboard, ['6'], 'nothing has failed')
})
