// Reads input after input, made from examples and from what is kept in test/fixtures/fuzz, and says which one was not
// simply read or refused: something else was thrown, it took more than a second of the processor, a prototype was
// changed, or memory grew without end. Each input has a number; with the seed that is enough to make it again.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Mutation } from './mutation.ts'
import type { FuzzTarget } from './target.ts'

/** How much is read. */
export interface FuzzPlan {
  readonly seed: string
  /** At least so many inputs, */
  readonly inputs: number
  /** and at least for so long, in milliseconds. */
  readonly forMs: number
}

const corpusFolder = path.join(import.meta.dirname, '../fixtures/fuzz')
const hangMs = 1000
const memoryBytes = 768 * 1024 ** 2

/**
 * Fuzzes one target; gives the number of inputs that it read or refused.
 * @throws AssertionError with the input that it neither read nor refused, and how to make it again
 */
export const fuzz = async (target: FuzzTarget, { seed, inputs, forMs }: FuzzPlan): Promise<number> => {
  const corpus = readCorpus(target.name)
  const sources = [...target.examples, ...corpus]
  const ends = performance.now() + forMs
  const before = process.memoryUsage.rss()
  for (const [number, input] of sources.entries()) tryInput(target, input, `${target.name} source ${number}`)
  let number = 0
  while (number < inputs || performance.now() < ends) {
    const digest = createHash('sha256').update(`${seed} ${target.name} ${number}`).digest()
    const input = new Mutation(digest.readInt32BE(), target.words).next(sources)
    const name = `${target.name} input ${number} of seed ${seed} (JOBQ_FUZZ_SEED=${seed} JOBQ_FUZZ_ONLY=${target.name})`
    tryInput(target, input, name)
    if (number % 500 === 0) {
      // node:zlib lets go of what failed in a later tick.
      await nextTurn()
      const grown = process.memoryUsage.rss() - before
      assert.ok(grown < memoryBytes, `${name}: ${grown} bytes more memory`)
    }
    number++
  }
  return number
}

const readCorpus = (name: string): Uint8Array[] => {
  const folder = path.join(corpusFolder, name)
  if (!fs.existsSync(folder)) return []
  return fs.readdirSync(folder).map((file) => fs.readFileSync(path.join(folder, file)))
}

const tryInput = (target: FuzzTarget, input: Uint8Array, name: string): void => {
  const report = (problem: string): string =>
    `${name}: ${problem}\nkeep it as a file in test/fixtures/fuzz/${target.name}; in base64 it is\n${Buffer.from(input).toString('base64').slice(0, 4000)}`
  const began = performance.now()
  attempt(target, input, report)
  if (performance.now() - began > hangMs) {
    // The machine may have been busy with other things: only the processor's time counts.
    const used = process.cpuUsage()
    attempt(target, input, report)
    const { user } = process.cpuUsage(used)
    assert.ok(user < hangMs * 1000, report(`took ${Math.round(user / 1000)} ms for ${input.length} bytes`))
  }
  assert.deepEqual(fingerprint(), untouched, report('changed a prototype'))
}

const attempt = (target: FuzzTarget, input: Uint8Array, report: (problem: string) => string): void => {
  try {
    target.read(input)
  } catch (error) {
    if (!target.isRefusal(error))
      assert.fail(report(error instanceof Error ? (error.stack ?? error.message) : String(error)))
  }
}

const fingerprint = (): number[] =>
  [Object, Array, Function, String, Map, Error].map((each) => Reflect.ownKeys(each.prototype).length)

const untouched = fingerprint()
