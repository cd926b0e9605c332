import { SqliteBroker } from '../../src/broker/sqlite/sqlite-broker.ts'
import { Scene } from '../broker/conformance/scene.ts'
import type { Workspace } from './cli.ts'

/** Sets up the jobs of a workspace's broker by what workers and enqueuers tell it, beginning at the present time. */
export const withScene = async (workspace: Workspace, act: (scene: Scene) => Promise<void>): Promise<void> => {
  const scene = new Scene(SqliteBroker.open(workspace.database))
  scene.at = Date.now()
  try {
    await act(scene)
  } finally {
    await scene.broker.close()
  }
}
