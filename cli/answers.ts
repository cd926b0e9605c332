import { Exit } from './exit.ts'
import type { Output } from './output.ts'

/** What became of one job that a command was given. */
export interface Answer {
  readonly id: number
  readonly answer: string
}

/** Ids as given, each once. */
export const distinct = (ids: readonly number[]): number[] => [...new Set(ids)]

/**
 * Prints what became of each job; `refusals` says for the answers that are none why, e.g. `{ finished: 'has finished
 * already' }`.
 * @throws Exit 3 when a job was not found, else 1 when one was refused, with a line for each
 */
export const tellAnswers = (
  output: Output,
  answers: readonly Answer[],
  refusals: Readonly<Record<string, string>>,
): void => {
  const reasons: Readonly<Record<string, string>> = { 'not-found': 'does not exist', ...refusals }
  const refused = answers.filter(({ answer }) => Object.hasOwn(reasons, answer))
  const done = answers.filter(({ answer }) => !Object.hasOwn(reasons, answer))
  if (output.json) output.document(answers)
  else if (output.quiet) for (const { id } of done) output.line(String(id))
  else {
    output.table<Answer>(
      [
        { title: 'job', value: ({ id }) => id },
        { title: 'answer', value: ({ answer }) => answer },
      ],
      done,
    )
  }
  if (refused.length === 0) return
  const shown = refused.slice(0, 20).map(({ id, answer }) => `job ${id} ${reasons[answer]}`)
  if (refused.length > shown.length) shown.push(`and ${refused.length - shown.length} more`)
  throw new Exit(refused.some(({ answer }) => answer === 'not-found') ? 3 : 1, shown.join('; '))
}
