import os from 'node:os'
import path from 'node:path'
import { JobqError } from '../src/errors.ts'
import { quote } from '../src/quote.ts'

/**
 * A broker's URL (or several, separated by `;`) with the paths of SQLite files made absolute, so that it means the same
 * for a worker's jobs in other folders; `folder` is what a relative path is relative to.
 * @throws JobqError `usage` for an empty one
 */
export const absoluteBroker = (url: string, folder: string): string => {
  const parts = url.split(';').map((part) => part.trim())
  if (parts.includes('') || url.includes('\0') || !url.isWellFormed()) {
    throw new JobqError('usage', `${quote(url)} is not a broker (a file, or a URL such as sqlite:PATH)`)
  }
  return parts.map((part) => absolutePart(part, folder)).join(';')
}

const absolutePart = (url: string, folder: string): string => {
  // A scheme of one letter is a drive.
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]+):(.*)$/is.exec(url) ?? []
  if (scheme === undefined) return path.resolve(folder, url)
  return scheme.toLowerCase() === 'sqlite' && rest !== '' ? `sqlite:${path.resolve(folder, rest)}` : url
}

/**
 * Where the broker is when nobody says: `$XDG_DATA_HOME/jobq/jobq.db`, else `/var/lib/jobq/jobq.db` for root and
 * `~/.local/share/jobq/jobq.db` for anybody else.
 * @throws JobqError `usage` for a user without a home directory
 */
export const defaultBroker = (environment: Readonly<Record<string, string | undefined>>): string => {
  const data = environment.XDG_DATA_HOME
  if (data !== undefined && path.isAbsolute(data)) return path.join(data, 'jobq', 'jobq.db')
  if (process.getuid?.() === 0) return '/var/lib/jobq/jobq.db'
  const unknown = 'there is no home directory to keep the broker in; say where it is with -b PATH or JOBQ_BROKER'
  return path.join(home(environment, unknown), '.local', 'share', 'jobq', 'jobq.db')
}

/** The user's home directory. @throws JobqError `usage` with the message for a user without one */
export const home = (environment: Readonly<Record<string, string | undefined>>, unknown: string): string => {
  const named = environment.HOME
  if (named !== undefined && path.isAbsolute(named)) return named
  try {
    return os.userInfo().homedir
  } catch (error) {
    throw new JobqError('usage', unknown, { cause: error })
  }
}
