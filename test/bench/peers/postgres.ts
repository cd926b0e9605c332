import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import type { Place } from '../place.ts'

/** A PostgreSQL server as it comes: every commit is synced. */
export interface Postgres {
  readonly url: string
  stop(): Promise<void>
}

const user = 'postgres'

/** Starts a server of the place's own, reached through a socket in it only; null where PostgreSQL is not on the PATH. */
export const startPostgres = async (place: Place): Promise<Postgres | null> => {
  const folder = path.join(place.folder, 'postgres')
  const identity = otherThanRoot()
  fs.chmodSync(place.folder, 0o711)
  fs.mkdirSync(folder)
  if (identity.uid !== undefined) fs.chownSync(folder, identity.uid, identity.gid)
  const data = path.join(folder, 'data')
  const made = spawnSync('initdb', ['-D', data, '-U', user, '-A', 'trust'], {
    ...identity,
    cwd: folder,
    stdio: 'ignore',
  })
  if (made.status !== 0) return null
  const server = place.own(
    spawn('postgres', ['-D', data, '-k', folder, '-c', 'listen_addresses='], {
      ...identity,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  )
  const ended = once(server, 'exit')
  let said = ''
  await new Promise<void>((resolve, reject) => {
    server.stderr.on('data', (chunk) => {
      said += chunk
      if (said.includes('ready to accept connections')) resolve()
    })
    server.once('exit', () => reject(new Error(`postgres did not start: ${said}`)))
  })
  server.stderr.removeAllListeners('data').resume()
  return {
    url: `postgresql://${user}@/postgres?host=${encodeURIComponent(folder)}`,
    async stop() {
      server.kill('SIGINT')
      await ended
    },
  }
}

// PostgreSQL refuses to run as root.
const otherThanRoot = (): { uid: number; gid: number } | { uid?: undefined } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout)
  return { uid: id('-u'), gid: id('-g') }
}
