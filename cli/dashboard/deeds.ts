/** What keys do to jobs and queues: at once where it is harmless, else after a question that names it. */
import { isFinished } from '../../src/job.ts'
import { waitingIn } from './keys.ts'
import { count } from './parts/figures.ts'
import { selectedId, selectedJob, selectedQueue } from './selection.ts'
import { type Change, type Command, inVain, just, type State } from './state.ts'

/** What is done to the selected job, queue or group. */
export type Deed = 'retry' | 'retry-group' | 'cancel' | 'pause' | 'resume' | 'run-now' | 'pager' | 'copy'

/** What a key comes to that changes the broker, or needs the job that is selected. */
export const act = (state: State, deed: Deed): Change => {
  switch (deed) {
    case 'retry-group':
      return retryGroup(state)
    case 'pause':
      return pause(state)
    case 'resume': {
      const queue = selectedQueue(state)
      return queue === null ? just(state) : { state, commands: [{ do: 'resume', queue: queue.name }] }
    }
    case 'cancel':
      return state.place === 'queues' ? cancelWaiting(state) : ofJob(state, (id) => cancel(state, id))
    case 'retry':
      return ofJob(state, (id) => ({ state, commands: [{ do: 'retry', ids: [id] }] }))
    case 'run-now':
      return ofJob(state, (id) => runNow(state, id))
    case 'pager':
      return ofJob(state, (id) => ({ state, commands: [{ do: 'pager', id }] }))
    case 'copy':
      return ofJob(state, (id) => ({ state, commands: [{ do: 'copy', text: String(id) }] }))
  }
}

const ofJob = (state: State, change: (id: number) => Change): Change => {
  const id = selectedId(state)
  return id === null ? just(state) : change(id)
}

const ask = (state: State, question: string, command: Command): Change =>
  just({ ...state, asking: { question, command } })

const runNow = (state: State, id: number): Change => {
  const job = selectedJob(state)
  if (job === null || !isFinished(job.state)) return { state, commands: [{ do: 'run-now', id }] }
  return inVain(state, `job ${id} has ended (${job.state}): r runs it again`)
}

const cancel = (state: State, id: number): Change => {
  const job = selectedJob(state)
  if (job !== null && isFinished(job.state)) {
    return inVain(state, `job ${id} has ended (${job.state}): there is nothing left to cancel`)
  }
  const what = job === null ? '' : `, which is ${job.state} (${job.task})`
  return ask(state, `Cancel job ${id}${what}?`, { do: 'cancel', id })
}

const cancelWaiting = (state: State): Change => {
  const queue = selectedQueue(state)
  if (queue === null) return just(state)
  const { name } = queue
  const waiting = waitingIn(queue)
  if (waiting === 0) return inVain(state, `nothing waits in ${name}: there is nothing to cancel`)
  return ask(state, `Cancel ${jobs(waiting)} of ${name}?`, { do: 'cancel-waiting', queue: name })
}

const pause = (state: State): Change => {
  const queue = selectedQueue(state)
  if (queue === null) return just(state)
  const waiting = waitingIn(queue)
  const question = `Pause queue ${queue.name}? ${jobs(waiting)} ${waiting === 1 ? 'stays' : 'stay'} until it is resumed.`
  return ask(state, question, { do: 'pause', queue: queue.name })
}

const retryGroup = (state: State): Change => {
  const group = state.failures.groups?.find(({ key }) => key === state.failures.selected)
  if (group === undefined) return just(state)
  const failed = `${count(group.ids.length)} failed ${group.ids.length === 1 ? 'job' : 'jobs'}`
  return ask(state, `Run ${failed} of ${group.task} again?`, { do: 'retry', ids: group.ids })
}

const jobs = (waiting: number): string => `${count(waiting)} waiting ${waiting === 1 ? 'job' : 'jobs'}`
