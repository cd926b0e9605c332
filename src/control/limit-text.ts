import { formatDuration } from '../duration.ts'
import type { ControlCommand } from './command.ts'

/** Changed limits for people: `mail/send, soft time limit 50ms, time limit none`. */
export const limitText = ({
  task,
  softTimeLimitMs: soft,
  timeLimitMs: hard,
}: Omit<Extract<ControlCommand, { verb: 'limits' }>, 'verb'>): string => {
  const of = (limit: number | null): string => (limit === null ? 'none' : formatDuration(limit))
  return [
    task,
    ...(soft === undefined ? [] : [`soft time limit ${of(soft)}`]),
    ...(hard === undefined ? [] : [`time limit ${of(hard)}`]),
  ].join(', ')
}
