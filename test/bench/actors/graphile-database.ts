import { createRequire } from 'node:module'
import path from 'node:path'

/** Which Graphile Worker, on which database. */
export interface GraphileTask {
  /** The folder that it was installed in. */
  readonly installed: string
  readonly url: string
}

/** What the bench uses of Graphile Worker. */
interface GraphileWorker {
  makeWorkerUtils(options: object): Promise<GraphileUtils>
  run(options: object): Promise<{ stop(): Promise<void> }>
}

/** Adds jobs. */
export interface GraphileUtils {
  addJob(task: string, payload: unknown): Promise<unknown>
  addJobs(jobs: readonly { readonly identifier: string; readonly payload: unknown }[]): Promise<unknown>
  release(): Promise<void>
}

interface Connection {
  connect(): Promise<void>
  query(text: string): Promise<{ readonly rows: readonly Record<string, unknown>[] }>
  end(): Promise<void>
}

interface PostgresClient {
  readonly Client: new (options: { readonly connectionString: string }) => Connection
}

/** Loads Graphile Worker and connects to its database beside it. */
export const openGraphile = async ({ installed, url }: GraphileTask) => {
  const require = createRequire(path.join(installed, 'package.json'))
  const graphile: GraphileWorker = require('graphile-worker')
  const { Client }: PostgresClient = require('pg')
  const { Logger } = require('@graphile/logger')
  const logger: unknown = new Logger(() => () => {})
  const connection = new Client({ connectionString: url })
  await connection.connect()
  return { graphile, logger, connection }
}
