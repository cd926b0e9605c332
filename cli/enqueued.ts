import type { Enqueued } from '../src/job.ts'
import type { Output } from './output.ts'

/** A job that was added, as `--json` prints it. */
export const enqueuedJson = ({ id, duplicate, state, dueAt }: Enqueued): object => ({
  id,
  duplicate,
  state,
  dueAt: new Date(dueAt).toISOString(),
})

/** Prints what was added: ids, one a line, or JSON: a document for one, a line each for a batch. */
export const printEnqueued = (added: readonly Enqueued[], output: Output, batch: boolean): void => {
  const lines = added.map((one) => (output.json ? output.encode(enqueuedJson(one)) : String(one.id)))
  const [only] = added
  if (output.json && !batch && only !== undefined) output.document(enqueuedJson(only))
  else if (lines.length > 0) output.raw(`${lines.join('\n')}\n`)
}
