/** What became of a command to workers, as it is printed. */
import type { ControlAnswer } from '../src/client/control.ts'
import { limitText } from '../src/control/limit-text.ts'
import type { ControlResult } from '../src/control/result.ts'
import { dumpLines } from './dump-text.ts'
import { Exit } from './exit.ts'
import type { Output } from './output.ts'

/**
 * Prints a line for each worker that did it, and on stderr one for each that did not.
 * @throws Exit 69 when none answered, 3 when none has what was meant, 1 when one did not do it
 */
export const tellControl = (answers: readonly ControlAnswer[], output: Output): void => {
  const done = answers.filter((answer) => answer.ok).filter((answer) => failureOf(answer) === null)
  const failed = answers.flatMap((answer) => failureOf(answer) ?? [])
  if (output.json) output.document(answers.map(document))
  else if (output.quiet) for (const { worker } of done) output.line(worker)
  else {
    for (const { result } of done) if (result.verb === 'dump') for (const line of dumpLines(result)) output.line(line)
    output.table(
      [
        { title: 'worker', value: ({ worker }) => worker },
        { title: 'pid', value: ({ pid }) => pid },
        { title: 'answer', value: ({ result }) => resultText(result) },
      ],
      done.filter(({ result }) => result.verb !== 'dump'),
    )
  }
  for (const { worker, pid, message } of failed) output.complain(`worker ${worker} (pid ${pid}): ${message}`)
  if (answers.length === 0) throw new Exit(69, "no worker is running: 'jobq run' starts one")
  if (!answers.some(({ answered }) => answered)) throw new Exit(69)
  if (failed.length > 0) throw new Exit(failed.every(({ code }) => code === 'not-found') ? 3 : 1)
}

/** Why a worker did not do it; null where it did. */
const failureOf = (answer: ControlAnswer) => {
  const { worker, pid } = answer
  if (!answer.ok) return { worker, pid, code: answer.code, message: answer.message }
  const { result } = answer
  if (result.verb !== 'reload' || result.loaded) return null
  const places = result.problems.map(
    ({ file, line, message }) => `${file}${line === null ? '' : `:${line}`}: ${message}`,
  )
  return { worker, pid, code: 'conflict', message: [result.message, ...places].join('\n') }
}

const document = (answer: ControlAnswer): object => {
  const { worker, pid, ok, answered } = answer
  if (!answer.ok) return { worker, pid, ok, answered, error: { code: answer.code, message: answer.message } }
  return { worker, pid, ok, answered, ...answer.result }
}

const resultText = (result: ControlResult): string => {
  switch (result.verb) {
    case 'grow':
    case 'shrink':
    case 'autoscale': {
      const { from, to } = result
      const children = to === 1 ? 'child' : 'children'
      return from === to ? `stays at ${to} ${children}` : `from ${from} to ${to} ${children}`
    }
    case 'drain':
      return result.running === 0 ? 'drained: nothing runs' : `draining: ${result.running} still at work`
    case 'stop':
      return result.running === 0 ? 'stopping' : `stopping: ${result.running} still at work`
    case 'resume':
      return 'takes jobs again'
    case 'reload':
      return result.message
    case 'limits':
      return limitText(result)
    case 'dump':
    case 'status':
      return result.verb
  }
}
