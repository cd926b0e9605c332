// Counts the words of a text file:
//   jobq enqueue words '{"path": "README.md"}' --wait
//
// A task with everything that is worth having: options, a payload that is checked before `run` sees it and typed by
// that check, progress, log lines, and an end that is in order when the job is cancelled.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { defineTask, Fail } from 'jobq'
import { number, schema, text } from './_schema.ts'

/** What may be enqueued; the check below fills in the rest. */
interface Words {
  path: string
  /** How many of the most common words to tell. */
  top?: number
}

export default defineTask({
  queue: 'reports',
  retries: 2,
  backoff: 'exponential:1s..30s',

  input: schema<Words, Required<Words>>((value) => {
    const top = number(value, 'top', 3)
    if (!(top > 0)) throw new RangeError('top: a number above 0 is needed')
    return { path: text(value, 'path'), top }
  }),

  async run({ path, top }, job) {
    const size = await sizeOf(path)
    const counts = new Map<string, number>()
    let [read, total, rest] = [0, 0, '']
    // Handing the signal on is all it takes: reading stops when the job is cancelled or its worker stops.
    for await (const chunk of createReadStream(path, { encoding: 'utf8', signal: job.signal })) {
      const words = `${rest}${chunk}`.toLowerCase().split(/[^\p{Letter}]+/u)
      rest = words.pop() ?? ''
      for (const word of words) {
        if (word === '') continue
        counts.set(word, (counts.get(word) ?? 0) + 1)
        total += 1
      }
      read += Buffer.byteLength(chunk)
      job.progress(Math.min(1, read / size), `${total} words`)
    }
    job.log(`${total} words, ${counts.size} different ones, in ${path}`)
    const common = [...counts].sort(([, one], [, other]) => other - one).slice(0, top)
    return { total, different: counts.size, common: Object.fromEntries(common) }
  },
})

async function sizeOf(path: string): Promise<number> {
  const { size } = await stat(path).catch((error) => {
    // Trying again does not bring the file back, so there is no retry. Any other error is retried as `retries` says.
    throw error.code === 'ENOENT' ? new Fail(`there is no file ${path}`) : error
  })
  return size
}
