/**
 * Whether a decimal number in text survives being read as a double: it does when the double has the same decimal value,
 * or when the text is a fraction of at most 17 significant digits, which is how programs write doubles.
 */
export const isExactNumber = (source: string, value: number): boolean => {
  if (!Number.isFinite(value)) return false
  const written = decimal(source)
  const read = decimal(String(value))
  if (written.digits === read.digits && written.exponent === read.exponent) return true
  return written.exponent < 0 && written.digits.length <= 17 && Math.abs(value) >= 2 ** -1022
}

/** Stands in a decoded value for a number in text that a double cannot hold, until it is refused with its place. */
export class InexactNumber {
  /** What is wrong with it, as the first half of a sentence. */
  readonly problem: string
  constructor(source: string) {
    this.problem = `the number ${source.length > 40 ? `${source.slice(0, 40)}…` : source} would be changed and`
  }
}

/** A number as digits without zeros at their ends, times a power of ten; the sign is left out. */
const decimal = (source: string): { digits: string; exponent: number } => {
  const [mantissa = '', power = '0'] = source.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace(/^[-+]/, '').split('.')
  const all = whole + fraction
  let [start, end] = [0, all.length]
  while (all[start] === '0') start++
  while (end > start && all[end - 1] === '0') end--
  const digits = all.slice(start, end)
  return { digits, exponent: digits === '' ? 0 : Number(power) - fraction.length + all.length - end }
}
