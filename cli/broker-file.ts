import { JobqError } from '../src/errors.ts'
import { quote } from '../src/quote.ts'

/**
 * The file of a SQLite broker.
 * @throws JobqError `usage` for a broker of another kind, naming what was wanted of it
 */
export const brokerFile = (url: string, wanted: string): string => {
  const file = url.replace(/^sqlite:/i, '')
  if (/^[a-z][a-z0-9+.-]+:/i.test(file) || url.includes(';')) {
    throw new JobqError('usage', `${wanted} needs a broker that is a SQLite file; ${quote(url)} is none`)
  }
  return file
}

/** The folder with the output of a SQLite broker's jobs. */
export const outputFolder = (url: string): string => `${brokerFile(url, 'the output of jobs')}.logs`
