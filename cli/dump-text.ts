/** A worker's dump as a person reads it. */
import type { ChildStatus } from '../src/broker/broker.ts'
import type { StepDump, WorkerDump } from '../src/control/result.ts'
import { formatDuration } from '../src/duration.ts'
import { formatSize } from '../src/size.ts'
import { visible } from './visible.ts'

/** The lines of a dump; text from outside is made visible. */
export const dumpLines = (dump: WorkerDump): string[] => {
  const { worker, pid, at, uptimeMs, status, rss, eventLoop, broker, jobs, pool, steps } = dump
  const busy = pool.children.filter(({ state }) => state === 'busy').length
  return [
    `worker ${worker}, pid ${pid}: ${status} for ${formatDuration(uptimeMs)}, ${formatSize(rss)} resident, ${new Date(at).toISOString()}`,
    `  event loop  ${eventLoop.delayMs} ms late; since the last dump up to ${eventLoop.maxDelayMs} ms late, ${Math.round(eventLoop.utilization * 100)} % busy`,
    `  broker      ${broker.url}: ${broker.state}`,
    `  jobs        ${jobs.inHand} in hand, ${jobs.toReport} reports to write, ${jobs.processed} processed`,
    `  children    ${busy} of ${pool.size} busy`,
    ...pool.children.map((child) => `    ${childText(child)}`),
    '  steps',
    ...steps.map((step) => `    ${stepText(step)}`),
  ].map(visible)
}

/** What one step says; the pool's children stand above. */
const stepText = ({ name, state, reason, info }: StepDump): string => {
  const said = info === null || name === 'pool' ? '' : ` ${JSON.stringify(info)}`
  return `${name}: ${state}${reason === null ? '' : `, ${reason}`}${said}`
}

/** What one child does. */
const childText = ({ pid, state, job, task, sinceMs, stuckMs, rss, processed, inFlight }: ChildStatus): string => {
  const work = job === null ? '' : ` with job ${job} (${task})`
  const memory = rss === null ? '' : `, ${formatSize(rss)} resident`
  const stuck = stuckMs === null ? '' : `, not answering for ${formatDuration(stuckMs)}`
  const behind = inFlight > 1 ? `, ${inFlight - 1} behind it` : ''
  return `${pid} ${state}${work} for ${formatDuration(sinceMs)}${stuck}${behind}, ${processed} processed${memory}`
}
