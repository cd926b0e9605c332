import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import type { BrokerState } from '../../src/client/broker-state.ts'
import { until } from '../support/until.ts'
import { openSite } from './site.ts'

describe('cameras', () => {
  it('take pictures of the whole broker', async (context) => {
    const site = await openSite(context)
    await site.queue.enqueueMany([{ task: 'note' }, { task: 'note', delay: '1h', queue: 'later' }])
    const pictures: BrokerState[] = []
    await site.start({ name: 'w1', cameras: [{ every: 100, shutter: (state) => pictures.push(state) }] })
    const picture = await until('both jobs in a picture', () => pictures.find(({ counts }) => counts.succeeded === 1))
    assert.deepEqual(picture.counts, { blocked: 0, queued: 1, running: 0, succeeded: 1, failed: 0, cancelled: 0 })
    assert.deepEqual(
      picture.queues.map(({ name, scheduled }) => [name, scheduled]),
      [
        ['default', 0],
        ['later', 1],
      ],
    )
    assert.deepEqual(
      picture.workers.map(({ name, status }) => [name, status]),
      [['w1', 'online']],
    )
    assert.match(picture.at, /^\d{4}-.*Z$/)
  })

  it('take one picture at a time, go on after one that failed, and stop with the worker', async (context) => {
    const site = await openSite(context)
    let open = 0
    let most = 0
    let taken = 0
    const shutter = async (): Promise<void> => {
      open += 1
      most = Math.max(most, open)
      await new Promise((resolve) => setTimeout(resolve, 250))
      open -= 1
      taken += 1
      if (taken === 1) throw new Error('no film')
    }
    const worker = await site.start({ cameras: [{ every: 100, shutter }] })
    await until('three pictures', () => taken === 3)
    await worker.stop()
    assert.equal(most, 1)
    assert.equal(open, 0)
    const said = site.said.filter(({ level }) => level === 'warn').map(({ message }) => message)
    assert.deepEqual(said, ['cameras[0]: no film'])
  })

  it('write to files and programs', async (context) => {
    const site = await openSite(context)
    const file = path.join(site.folder, 'pictures')
    const out = path.join(site.folder, 'out')
    const command = ['sh', '-c', 'cat >> "$1"', 'sh', out]
    await site.start({
      cameras: [
        { every: 100, file },
        { every: 100, command },
      ],
    })
    for (const each of [file, out]) {
      const lines = await until('two lines', () => {
        const found = fs.existsSync(each) ? fs.readFileSync(each, 'utf8').split('\n').slice(0, -1) : []
        return found.length >= 2 && found
      })
      for (const line of lines) assert.deepEqual(Object.keys(JSON.parse(line)), ['at', 'counts', 'queues', 'workers'])
    }
  })
})
