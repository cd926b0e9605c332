import { JobqError } from './errors.ts'
import { quote } from './quote.ts'

const allowed = /^[A-Za-z0-9._:/-]{1,128}$/

/**
 * Gives back the name of a task, queue, worker, schedule, key or tag (`kind`, for the message) if it is one:
 * 1 to 128 of the characters `A-Z a-z 0-9 . _ : / -`, not beginning with `/`, without a `..` segment.
 * @throws JobqError `usage`
 */
export const checkName = (kind: string, value: unknown): string => {
  if (typeof value === 'string' && allowed.test(value) && !value.startsWith('/') && !value.split('/').includes('..')) {
    return value
  }
  const rule = 'letters, digits and . _ : / -, at most 128, no leading / and no ..'
  throw new JobqError('usage', `${quote(value)} is not a name for a ${kind} (${rule})`)
}
