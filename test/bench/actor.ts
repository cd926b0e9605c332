/**
 * Measures in processes of their own, so that no measurement inherits the heap or the compiled code of the one
 * before. An actor is a script of the folder `actors`: it gets its task as JSON, says when it is ready, acts once it
 * is told to go, and answers with what it found.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Place } from './place.ts'

const ready = 'ready'
const go = 'go'

/** An actor that is ready and waits for its cue. */
export interface Actor<Answer> {
  readonly child: ChildProcess
  /** Lets it act; resolves to its answer. */
  act(): Promise<Answer>
}

/** Starts `actors/<script>.ts` with a task and waits until it is ready. */
export const startActor = async <Answer>(place: Place, script: string, task: unknown): Promise<Actor<Answer>> => {
  const file = path.join(import.meta.dirname, 'actors', `${script}.ts`)
  const child = place.own(fork(file, [JSON.stringify(task)], { execArgv: [], cwd: place.folder }))
  await message(child, script)
  return {
    child,
    async act() {
      child.send(go)
      const answer = (await message(child, script)) as Answer
      await once(child, 'exit')
      return answer
    },
  }
}

/** Has an actor do its whole task and gives its answer. */
export const act = async <Answer>(place: Place, script: string, task: unknown): Promise<Answer> =>
  (await startActor<Answer>(place, script, task)).act()

/** The actor's side: prepares, and acts on its cue. */
export const playActor = async <Task, Answer>(
  prepare: (task: Task) => Promise<() => Promise<Answer>>,
): Promise<void> => {
  const acting = await prepare(JSON.parse(process.argv[2] ?? 'null'))
  const cue = once(process, 'message')
  process.send?.(ready)
  await cue
  process.send?.(await acting(), () => process.disconnect())
}

const message = async (child: ChildProcess, script: string): Promise<unknown> => {
  const over = new AbortController()
  const ended = () => over.abort(new Error(`the actor ${script} ended before it answered`))
  child.once('exit', ended)
  try {
    const [value] = await once(child, 'message', { signal: over.signal })
    return value
  } catch (error) {
    throw over.signal.aborted ? over.signal.reason : error
  } finally {
    child.off('exit', ended)
  }
}
