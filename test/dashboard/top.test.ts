import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ends } from '../broker/conformance/scene.ts'
import { Workspace } from '../support/cli.ts'
import { withScene } from '../support/scenery.ts'

describe('jobq top without a terminal', () => {
  const workspace = new Workspace()

  before(async () => {
    await withScene(workspace, async (scene) => {
      scene.at -= 20 * 60_000
      await scene.addId({ queue: 'media' })
      await scene.runOne(ends.failed())
      scene.at += 18 * 60_000
      await scene.addAll([{ queue: 'media' }, { queue: 'mail', name: '\u001b[31mred' }])
    })
  })
  after(() => workspace.remove())

  it('prints one plain frame and ends', async () => {
    for (const parameters of [['top'], ['ui', '--snapshot'], ['dashboard']]) {
      const frame = await workspace.output(parameters, { env: { COLUMNS: '110', LINES: '40' } })
      assert.match(frame, /^ jobq {2}.*jobs\.db · 1 worker/)
      assert.match(frame, /waiting 2 +running 0 +failed 1 +done 0/)
      assert.doesNotMatch(frame, /\x1b/)
      for (const line of frame.split('\n')) assert.ok(line.length <= 110, line)
    }
  })

  it('prints it in ASCII where the locale is no more, and in colour where that is wanted', async () => {
    assert.match(await workspace.output(['top'], { env: { LC_ALL: 'C' } }), /^[\n\x20-\x7e]*$/)
    assert.match(await workspace.output(['top', '--color', 'always']), /\x1b\[31m1/)
  })

  it('prints the past', async () => {
    const frame = await workspace.output(['top', '--at', '10 min ago'])
    assert.match(frame, /◀ \d\d:\d\d:\d\d/)
    assert.match(frame, /waiting 0 +running 0 +failed 1 +done 0/)
    const ended = await workspace.run(['top', '--at', 'some day'])
    assert.equal(ended.code, 2)
    assert.match(ended.stderr, /--at.*some day.* is not a point in time/)
  })

  it('says what is wrong with a broker, as every command does', async () => {
    const ended = await workspace.run(['top', '-b', 'ftp://nowhere'])
    assert.equal(ended.code, 2)
    assert.equal(ended.stdout, '')
  })
})

describe('jobq run --ui without a terminal', () => {
  it('is refused before anything starts', async (context) => {
    const workspace = new Workspace()
    context.after(() => workspace.remove())
    const ended = await workspace.run(['run', '--ui'])
    assert.equal(ended.code, 2)
    assert.match(ended.stderr, /--ui: stdin and stdout have to be a terminal/)
  })
})
