import { describe, it } from 'node:test'
import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { conformance } from './conformance/conformance.ts'

describe('MemoryBroker', () => {
  conformance(it, async () => new MemoryBroker())
})
