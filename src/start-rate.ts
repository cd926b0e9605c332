/**
 * When the jobs of a task with a start rate may start: the generic cell rate algorithm (ITU-T I.371, virtual scheduling),
 * whose whole state is one instant. The bucket holds one second's starts, and at least one.
 */
import type { Rate } from './rate.ts'

/** A task's start rate, and the instant by which all starts so far are paid for (epoch milliseconds, fractions included). */
export interface StartRate {
  readonly task: string
  readonly rate: Rate
  readonly paidUntil: number
}

/** The state of a rate that has just been set. */
export const unpaid = 0

const intervalOf = (rate: Rate): number => rate.perMs / rate.count
const slackOf = (rate: Rate): number => Math.max(0, 1_000 - intervalOf(rate))

// Starts never pay further ahead than that; more can only mean that the clock was set back.
const sane = (rate: Rate, paidUntil: number, now: number): number =>
  paidUntil > now + slackOf(rate) + intervalOf(rate) + 1 ? now : paidUntil

/** How many jobs may start at `now`. */
export const startsLeft = (rate: Rate, paidUntil: number, now: number): number => {
  const from = Math.max(sane(rate, paidUntil, now), now)
  // A thousandth of a start makes up for what adding fractions loses.
  return Math.max(0, Math.floor((now + slackOf(rate) - from) / intervalOf(rate) + 1.001))
}

/** The state after so many starts at `now`. */
export const payStarts = (
  rate: Rate,
  paidUntil: number,
  { now, starts }: { readonly now: number; readonly starts: number },
): number => Math.max(sane(rate, paidUntil, now), now) + starts * intervalOf(rate)

/** The instant from which on the next job may start, in whole epoch milliseconds; `now` if that is so already. */
export const nextStartAt = (rate: Rate, paidUntil: number, now: number): number =>
  startsLeft(rate, paidUntil, now) > 0 ? now : Math.ceil(sane(rate, paidUntil, now) - slackOf(rate))
