import { createHmac, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { systemClock } from '../../../src/clock.ts'
import { Keyring } from '../../../src/envelope/keys/keyring.ts'
import { newKey } from '../../../src/envelope/keys/new-key.ts'
import { Messages } from '../../../src/envelope/messages.ts'
import type { Figures, Goal, RowPlan } from '../figures.ts'
import { durability } from '../floors.ts'
import { payloadOf } from '../payload.ts'
import type { Work } from '../work.ts'

const types = ['hmac', 'ed25519'] as const
const jobs = 4_000
const owner = { part: 'payload', job: 41, task: 'mail/send', queue: 'default' } as const
const least: Goal = { of: 'figure', atMost: 15 }

/** Of one processor, so that it tells the same while others work: the first runs do not count. */
const microsecondsOf = (count: number, work: (n: number) => void): number => {
  for (let n = 0; n < count / 4; n++) work(n)
  const began = process.cpuUsage()
  for (let n = 0; n < count; n++) work(n)
  const { user, system } = process.cpuUsage(began)
  return (user + system) / count
}

/** W11: what sealing and unlocking a payload of 100 bytes takes longer when it is signed, and when it is encrypted. */
export const signing: Work = {
  id: 'W11',
  title: 'signing',
  async prepare({ place, sizes }) {
    const folder = path.join(path.dirname(place.newFile('signing')), 'keys')
    const keyring = new Keyring(folder)
    for (const type of types) keyring.add(await newKey(type, type, { now: systemClock.now().at }))
    const keyFile = path.join(folder, 'cipher')
    fs.writeFileSync(keyFile, randomBytes(32), { mode: 0o600 })
    const options = { clock: systemClock, maxPayloadBytes: 1 << 20, maxResultBytes: 1 << 20, keys: { folder } }
    const plain = new Messages(options)
    const encrypting = new Messages({ ...options, keyFile })
    const handle = (messages: Messages, sign?: string) => (n: number) => {
      const sealed = messages.seal(payloadOf(n), sign === undefined ? {} : { sign }, owner)
      const signature = sealed.sign?.(owner)
      messages.unlock(signature === undefined ? sealed.payload : { ...sealed.payload, signature }, owner)
    }
    const count = Math.max(100, Math.round(jobs * sizes.mixtures))
    const secret = randomBytes(32)
    const row = (what: string, figure: string, goal: Goal | null): RowPlan => ({
      what,
      figure,
      unit: 'CPU-µs',
      against: { figure: 'twice', name: 'createHmac, twice' },
      ...(goal === null ? {} : { goal }),
      durability: durability.none,
    })
    return {
      rows: [
        row('HMAC-SHA256 adds to a job', 'hmac', least),
        row('Ed25519 adds to a job', 'ed25519', null),
        row('AES-256-GCM adds to a job', 'encrypted', null),
      ],
      async round() {
        const unsigned = microsecondsOf(count, handle(plain))
        const mac = (n: number) =>
          createHmac('sha256', secret)
            .update(JSON.stringify(payloadOf(n)))
            .digest()
        return {
          twice: 2 * microsecondsOf(count, mac),
          hmac: microsecondsOf(count, handle(plain, 'hmac')) - unsigned,
          ed25519: microsecondsOf(Math.round(count / 10), handle(plain, 'ed25519')) - unsigned,
          encrypted: microsecondsOf(count, handle(encrypting)) - unsigned,
        } satisfies Figures
      },
    }
  },
}
