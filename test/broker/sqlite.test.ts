import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { conformance } from './conformance/conformance.ts'
import { compareWithModel } from './conformance/model.ts'

describe('SqliteBroker', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-conformance-'))
  let files = 0
  after(() => fs.rmSync(folder, { recursive: true }))

  const open = async () => {
    files += 1
    return SqliteBroker.open(path.join(folder, `${files}.db`))
  }
  conformance(it, open)
  it('does what the memory broker does, whatever it is asked', () => compareWithModel(open, 60))
})
