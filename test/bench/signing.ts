// `node test/bench/signing.ts [--bytes 100] [--jobs 20000]`: what signing a payload and verifying it add to a job, and
// encrypting and decrypting it, for each type of key, in microseconds of one processor: the median of a hundred rounds and
// the best of them. Keys that sign with a pair get a tenth of the jobs.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { systemClock } from '../../src/clock.ts'
import { Cipher } from '../../src/envelope/keys/cipher.ts'
import { newKey } from '../../src/envelope/keys/new-key.ts'
import { sign, verify } from '../../src/envelope/keys/sign.ts'
import { formatSignature } from '../../src/envelope/keys/signature.ts'
import { KeyringScene, sample } from '../envelope/keys/scenery.ts'
import { quantile } from './figures.ts'

const { values } = parseArgs({
  options: { bytes: { type: 'string', default: '100' }, jobs: { type: 'string', default: '20000' } },
})
const content = { ...sample, bytes: randomBytes(Number(values.bytes)) }
const rounds = 100
const scene = new KeyringScene()
const { keyring } = scene

const measure = (name: string, jobs: number, work: () => void): void => {
  const perRound = Math.max(1, Math.round(jobs / rounds))
  const figures = Array.from({ length: rounds + 10 }, () => {
    const began = performance.now()
    for (let job = 0; job < perRound; job++) work()
    return ((performance.now() - began) / perRound) * 1_000
  }).slice(10)
  const [median, best] = [quantile(figures, 0.5), Math.min(...figures)]
  console.log(`${name.padEnd(24)} ${median.toFixed(1).padStart(8)} µs ${best.toFixed(1).padStart(8)} µs`)
}

try {
  console.log(`${'with a payload of'.padEnd(18)} ${values.bytes} bytes     median        best`)
  for (const type of ['hmac', 'ed25519', 'x509'] as const) {
    keyring.add(await newKey(type, type, { now: systemClock.now().at }))
    measure(`${type}, sign and verify`, Number(values.jobs) / (type === 'hmac' ? 1 : 10), () => {
      const now = systemClock.now()
      const signature = formatSignature(sign(keyring.signer(type, now), content, now.at))
      verify(keyring, { ...content, signature, required: true }, now)
    })
  }
  const cipher = new Cipher(randomBytes(32))
  measure('aes256, both ways', Number(values.jobs), () =>
    cipher.decrypt(cipher.encrypt(content.bytes, content), content),
  )
} finally {
  scene.remove()
}
