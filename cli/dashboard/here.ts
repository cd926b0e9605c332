import type { Here } from './keys.ts'
import { back, open } from './places.ts'
import { selectedId, selectedJob, selectedQueue } from './selection.ts'
import type { State } from './state.ts'

/** What the keys have before them. */
export const hereOf = (state: State): Here => ({
  place: state.place,
  past: state.past !== null,
  job: selectedJob(state),
  isJobSelected: selectedId(state) !== null,
  queue: selectedQueue(state),
  opens: open(state) !== state,
  returns: back(state) !== state,
})
