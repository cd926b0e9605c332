import type { Broker } from '../broker/broker.ts'
import { attachBroker, openBroker } from '../broker/open.ts'
import type { SqliteDatabase } from '../broker/sqlite/native.ts'
import type { SqliteBrokerOptions } from '../broker/sqlite/sqlite-broker.ts'
import { JobqError } from '../errors.ts'

/** Where the broker is: a path or URL (several, in a list or separated by `;`, are tried in turn), or an application's own open database. */
export type ConnectTarget = string | readonly string[] | { readonly database: SqliteDatabase }

/**
 * Opens the broker that is meant, made if need be.
 * @throws JobqError `usage`, `unusable`, `permission`, `not-found`, `unavailable`
 */
export const openTarget = async (target: ConnectTarget, options: SqliteBrokerOptions): Promise<Broker> => {
  if (hasDatabase(target)) return attachBroker(target.database, options)
  return openFirst(typeof target === 'string' ? target.split(';') : target, options)
}

const hasDatabase = (target: ConnectTarget): target is { readonly database: SqliteDatabase } =>
  typeof target === 'object' && target !== null && 'database' in target

const openFirst = async (urls: readonly string[], options: SqliteBrokerOptions): Promise<Broker> => {
  const [url, ...others] = Array.isArray(urls) ? urls : []
  if (typeof url !== 'string') throw new JobqError('usage', 'connect needs a path, a URL or { database }')
  try {
    return await openBroker(url.trim(), options)
  } catch (error) {
    const away = error instanceof JobqError && (error.code === 'unavailable' || error.code === 'not-found')
    if (!away || others.length === 0) throw error
    return openFirst(others, options)
  }
}
