import { spawnSync } from 'node:child_process'
import type { Place } from '../place.ts'
import type { Peer } from './peer.ts'
import { plainjob } from './plainjob.ts'

/** Installs the peers of the npm registry in the place, nothing of which is in the repository, and gives them. */
export const installPeers = async (place: Place): Promise<Peer[]> => {
  npmInstall(place.folder, ['plainjob'])
  return plainjob(place.folder)
}

const npmInstall = (folder: string, packages: readonly string[]): void => {
  const parameters = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  const { status } = spawnSync('npm', [...parameters, ...packages], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error(`npm install ${packages.join(' ')} failed`)
}
