/** What one round of a work measured, by name. */
export type Figures = Readonly<Record<string, number>>

/** One line of the table, before anything is measured. */
export interface RowPlan {
  readonly what: string
  /** Which figure it shows. */
  readonly figure: string
  readonly unit: string
  /** A floor or a peer of the same round: the ratio is the figure divided by this one. */
  readonly against?: { readonly figure: string; readonly name: string }
  readonly goal?: Goal
  /** What survives a power cut while this is measured. */
  readonly durability: string
}

/** A bound that the figure itself, or its ratio, shall keep. */
export interface Goal {
  readonly of: 'figure' | 'ratio'
  readonly atLeast?: number
  readonly atMost?: number
}

/** One line of the table. */
export interface Row {
  readonly work: string
  readonly what: string
  readonly figure: number
  readonly unit: string
  readonly against: string | null
  /** The floor's or peer's own figure. */
  readonly other: number | null
  readonly ratio: number | null
  readonly goal: string | null
  /** Whether the goal was met; null without one. */
  readonly met: boolean | null
  readonly durability: string
}

/** The line of a plan: medians over the rounds, the ratio taken within each round first. */
export const toRow = (work: string, plan: RowPlan, rounds: readonly Figures[]): Row => {
  const { what, unit, against, goal, durability } = plan
  const figure = median(rounds.map((round) => figureOf(round, plan.figure)))
  const other = against === undefined ? null : median(rounds.map((round) => figureOf(round, against.figure)))
  const ratio =
    against === undefined
      ? null
      : median(rounds.map((round) => figureOf(round, plan.figure) / figureOf(round, against.figure)))
  return {
    work,
    what,
    figure,
    unit,
    against: against?.name ?? null,
    other,
    ratio,
    goal: goal === undefined ? null : goalText(goal),
    met: goal === undefined ? null : keeps(goal, goal.of === 'ratio' ? (ratio ?? Number.NaN) : figure),
    durability,
  }
}

/** The middle of some numbers: the mean of the two middle ones where they are even in number. */
export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The value below which the fraction `q` of the numbers lies, interpolated. */
export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const position = (sorted.length - 1) * q
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}

const figureOf = (round: Figures, name: string): number => {
  const figure = round[name]
  if (figure === undefined) throw new Error(`no figure is called ${name}`)
  return figure
}

const keeps = ({ atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Goal, value: number) =>
  value >= atLeast && value <= atMost

const goalText = ({ of, atLeast, atMost }: Goal): string => {
  const bounds = [...(atLeast === undefined ? [] : [`≥ ${atLeast}`]), ...(atMost === undefined ? [] : [`≤ ${atMost}`])]
  return `${of === 'ratio' ? 'ratio ' : ''}${bounds.join(' ')}`
}
