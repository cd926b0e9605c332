import type { RunOptions } from '../../job.ts'
import { objectColumn } from './json-column.ts'

const none: RunOptions = {}

/** The options of a job from their column; null for what is none, as somebody else may have written there. */
export const toRunOptions = (column: unknown): RunOptions | null => {
  if (column === null) return none
  const read = objectColumn(column)
  if (read === undefined) return null
  const { backoff, ...numbers } = read
  if (backoff !== undefined && !isBackoff(backoff)) return null
  return Object.values(numbers).every(isCount) ? read : null
}

const isCount = (value: unknown): boolean => typeof value === 'number' && value >= 0

const isBackoff = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('baseMs' in value)) return false
  const { kind, baseMs } = value
  return ['exponential', 'linear', 'fixed'].includes(String(kind)) && isCount(baseMs)
}
