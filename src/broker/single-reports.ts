import { plainSuccess } from '../policy.ts'
import type { SingleReport, Succeeded } from './broker.ts'

/** What is said of the jobs of a burst, of each by itself. */
export const singleReports = ({ ids, token, at, startedAt, pid }: Succeeded): SingleReport[] =>
  ids.map((id) => ({ kind: 'finished', id, token, attempt: 1, at, startedAt, pid, transition: plainSuccess }))
