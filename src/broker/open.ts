import { JobqError } from '../errors.ts'
import { quote } from '../quote.ts'
import type { Broker } from './broker.ts'
import type { SqliteDatabase } from './sqlite/native.ts'
import { SqliteBroker, type SqliteBrokerOptions } from './sqlite/sqlite-broker.ts'

/**
 * Opens the broker that a URL names: a path or `sqlite:PATH`, or `memory:` for one that ends with the process. The only
 * place that knows concrete brokers.
 * @throws JobqError `usage` for a URL of no known kind, and what opening it throws
 */
export const openBroker = async (url: string, options: SqliteBrokerOptions = {}): Promise<Broker> => {
  if (url === 'memory:') {
    const { MemoryBroker } = await import('./memory/memory-broker.ts')
    return new MemoryBroker(options)
  }
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== 'sqlite') {
    throw new JobqError('usage', `${quote(url)}: no broker is known for '${scheme}:'; give a path or sqlite:PATH`)
  }
  const file = scheme === undefined ? url : url.slice('sqlite:'.length)
  if (file === '') throw new JobqError('usage', `${quote(url)} names no file`)
  return SqliteBroker.open(file, options)
}

/**
 * The broker whose tables live in an application's own open database, beside its own; they are made if need be.
 * @throws JobqError `unusable`, `unavailable`
 */
export const attachBroker = (
  database: SqliteDatabase,
  options: Pick<SqliteBrokerOptions, 'busyTimeoutMs' | 'clock' | 'read'> = {},
): Broker => SqliteBroker.attach(database, options)
