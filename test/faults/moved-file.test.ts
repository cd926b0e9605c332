// The queue file is taken away from under those that have it open: they say so and write nothing more, and what they had
// acknowledged is in the file that they had.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { connect } from '../../src/client.ts'
import { type EvidenceFiles, evidenceFiles, noteAcknowledged, noteAsked } from '../support/evidence.ts'
import { assertInvariants } from '../support/invariants.ts'
import { FaultSite } from './fault-site.ts'

const ways: Readonly<Record<string, (file: string) => void>> = {
  deleted: (file) => fs.unlinkSync(file),
  'renamed away': (file) => fs.renameSync(file, `${file}.away`),
  'replaced by another one': (file) => {
    fs.writeFileSync(`${file}.other`, 'another file')
    fs.renameSync(`${file}.other`, file)
  },
  'without its log': (file) => fs.unlinkSync(`${file}-wal`),
}

/** Evidence about the file that was open, which has a second name. */
const kept = (files: EvidenceFiles, database: string): EvidenceFiles => ({
  ...evidenceFiles(database, path.dirname(files.effects)),
})

describe('a queue file that, while it is open,', { concurrency: true }, () => {
  for (const [name, take] of Object.entries(ways)) {
    test(`is ${name}`, () =>
      FaultSite.use(async (site) => {
        const { database } = site.files
        const worker = await site.startWorker()
        const queue = await connect(database)
        const add = async (key: string): Promise<void> => {
          noteAsked(site.files, key, [key])
          const payload = { key, file: site.files.effects, ms: 0 }
          noteAcknowledged(site.files, key, [await queue.enqueue('record', payload)])
        }
        for (let index = 0; index < 20; index++) await add(`job.${index}`)
        await site.drained()
        const same = path.join(path.dirname(database), 'same.db')
        fs.linkSync(database, same)
        take(database)
        await assert.rejects(add('late'), {
          name: 'JobqError',
          code: 'unusable',
          message: /moved, deleted or replaced/,
        })
        const { code, stderr } = await worker.ended
        assert.equal(code, 78, stderr)
        assert.match(stderr, /was moved, deleted or replaced while it was open; nothing more is written/)
        await queue.close()
        assertInvariants(kept(site.files, same))
      }))
  }
})
