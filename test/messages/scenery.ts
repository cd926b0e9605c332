// What the tests of messages share: a worker's configuration with codecs of its own, and what the file holds.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import Database from 'better-sqlite3'
import type { Workspace } from '../support/cli.ts'

/** A job as `--json` shows it. */
export interface JobDocument {
  readonly id: number
  readonly task: string
  readonly state: string
  readonly payload: unknown
  readonly result: unknown
  readonly error: { readonly type: string; readonly message: string } | null
  readonly serializer: string
  readonly compression: string | null
  readonly signedBy: string | null
  readonly attempt: number
}

/** Codecs of one's own: text that is JSON backwards, and bytes that are all inverted. */
export const customCodecs = `
const invert = (bytes) => Uint8Array.from(bytes, (byte) => 255 - byte)
export const codecs = {
  serializers: {
    backwards: {
      contentType: 'application/x-backwards',
      encode: (value) => [...JSON.stringify(value)].reverse().join(''),
      decode: (text) => JSON.parse([...text].reverse().join('')),
    },
  },
  compressors: {
    halves: {
      contentType: 'application/x-halves',
      encode: (bytes) => deflateSync(invert(bytes)),
      decode: (bytes, maxBytes) => invert(inflateSync(bytes, { maxOutputLength: maxBytes })),
    },
  },
}`

/** A configuration file with `customCodecs` and what else it is to say, as code. */
export const configuration = (rest: string): string => `
import { deflateSync, inflateSync } from 'node:zlib'
${customCodecs}
export default { ...codecs, ${rest} }
`

/** Runs all that waits, by a worker with these parameters, and gives what it said. */
export const runAll = async (workspace: Workspace, ...parameters: readonly string[]): Promise<string> => {
  const ended = await workspace.run(['run', '--drain', '-c', '2', ...parameters], { timeoutMs: 120_000 })
  assert.equal(ended.code, 0, ended.stderr)
  return ended.stderr
}

/** A job as `show --json` gives it. */
export const show = async (
  workspace: Workspace,
  id: number | string,
  ...parameters: readonly string[]
): Promise<JobDocument> => (await workspace.json([...parameters, 'show', String(id)])) as JobDocument

/** All jobs, the oldest first, as `ls --json` gives them. */
export const list = async (workspace: Workspace, ...parameters: readonly string[]): Promise<JobDocument[]> =>
  (await workspace.json([...parameters, 'ls', '--sort', 'oldest'])) as JobDocument[]

/** Changes the queue file behind jobq's back. */
export const tamper = (workspace: Workspace, sql: string, ...values: readonly unknown[]): void => {
  const database = new Database(workspace.database)
  try {
    database.prepare(sql).run(...values)
  } finally {
    database.close()
  }
}

/** What the queue file and the files beside it hold, byte for byte. */
export const filesOf = (workspace: Workspace): Buffer =>
  Buffer.concat(
    fs
      .readdirSync(workspace.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && `${entry.parentPath}/${entry.name}`.startsWith(workspace.database))
      .map((entry) => fs.readFileSync(`${entry.parentPath}/${entry.name}`)),
  )
