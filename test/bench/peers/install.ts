import { spawnSync } from 'node:child_process'
import type { Place } from '../place.ts'
import { graphileWorker } from './graphile-worker.ts'
import type { Peer } from './peer.ts'
import { plainjob } from './plainjob.ts'
import { startPostgres } from './postgres.ts'

/** Peers that are ready to be measured. */
export interface Peers {
  readonly all: readonly Peer[]
  /** Ends the servers that they need. */
  end(): Promise<void>
}

/** Installs peers from the npm registry in the place, away from the repository, with those servers that this machine has. */
export const installPeers = async (place: Place): Promise<Peers> => {
  const postgres = await startPostgres(place)
  const installed = place.folder
  npmInstall(installed, ['plainjob', ...(postgres === null ? [] : ['graphile-worker'])])
  return {
    all: [...plainjob(installed), ...(postgres === null ? [] : [graphileWorker({ installed, url: postgres.url })])],
    end: async () => postgres?.stop(),
  }
}

const npmInstall = (folder: string, packages: readonly string[]): void => {
  const parameters = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  const { status } = spawnSync('npm', [...parameters, ...packages], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error(`npm install ${packages.join(' ')} failed`)
}
