import { describe, it } from 'node:test'
import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { conformance } from './conformance/conformance.ts'
import { compareWithModel } from './conformance/model.ts'

describe('MemoryBroker', () => {
  const open = async () => new MemoryBroker()
  conformance(it, open)
  it('keeps the invariants of the log through random operations', () => compareWithModel(open, 200))
})
