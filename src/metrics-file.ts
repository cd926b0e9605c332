import { JobqError } from './errors.ts'
import { quote } from './quote.ts'

/**
 * The path of a file of figures for node_exporter, as it is.
 * @throws JobqError `usage` for one that node_exporter would not read
 */
export const checkMetricsFile = (file: string): string => {
  if (file.endsWith('.prom') && !file.includes('\0')) return file
  throw new JobqError('usage', `${quote(file)} does not end in .prom, and node_exporter reads no other files`)
}
