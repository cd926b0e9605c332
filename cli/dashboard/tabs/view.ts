import type { Job } from '../../../src/job.ts'
import { commandTask } from '../../../src/job.ts'
import { jobText } from '../../job-text.ts'
import { visible } from '../../visible.ts'
import type { Tone } from '../parts/line.ts'

/** The room that a tab has. */
export interface Room {
  readonly width: number
  readonly height: number
}

/** The tone of a state or of the label that says more. */
export const toneOf = ({ state, label }: Pick<Job, 'state' | 'label'>): Tone => {
  if (label === 'retrying') return 'retrying'
  const tones = {
    blocked: 'dim',
    queued: 'plain',
    running: 'running',
    succeeded: 'succeeded',
    failed: 'failed',
    cancelled: 'dim',
  }
  return tones[state] as Tone
}

/** What a job is, in as few words as tell it: a command as it was typed, a task by its name. */
export const jobTitle = (job: Job): string => {
  if (job.name !== null) return visible(job.task === commandTask ? job.name : `${job.task} ${job.name}`)
  return job.task === commandTask ? `exec ${visible(jobText(job))}` : job.task
}

/** What a job is, with what it was given. */
export const jobLine = (job: Job): string => {
  const given = job.task === commandTask || job.name !== null ? '' : visible(jobText(job))
  return given === '' || given === '{}' ? jobTitle(job) : `${job.task} ${given}`
}

/** A text from a job on one line. */
export const oneLine = (text: string): string => visible(text.split('\n', 1)[0] ?? '')
