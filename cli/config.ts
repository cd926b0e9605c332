import fs from 'node:fs'
import path from 'node:path'
import { type CheckedConfig, checkConfig } from '../src/config.ts'
import { JobqError } from '../src/errors.ts'
import { importUserFile } from '../src/user-file.ts'
import { absoluteBroker } from './broker-url.ts'
import { findConfig } from './config-file.ts'
import { named } from './values.ts'

/** A configuration file that has been read. Paths in it are absolute: they are relative to the file. */
export interface LoadedConfig {
  readonly file: string
  readonly values: CheckedConfig
}

/**
 * Reads the named configuration file, or the one in the folder; null when there is none.
 * @throws JobqError `usage` for a named file that is not there, for one that does not load, and for what it may not hold
 */
export const loadConfig = async (folder: string, file: string | null): Promise<LoadedConfig | null> => {
  const found = file === null ? findConfig(folder) : path.resolve(folder, file)
  if (found === null) return null
  if (!fs.existsSync(found)) throw new JobqError('usage', `--config: there is no file ${found}`)
  const values = await readFile(found)
  return { file: found, values: named(found, () => withAbsolutePaths(checkConfig(values), path.dirname(found))) }
}

const readFile = async (file: string): Promise<unknown> => {
  if (file.endsWith('.json')) {
    try {
      return JSON.parse(fs.readFileSync(file, 'utf8'))
    } catch (error) {
      throw new JobqError('usage', `${file}: ${messageOf(error)}`, { cause: error })
    }
  }
  const exports = await importConfig(file)
  if (exports.default === undefined) {
    throw new JobqError('usage', `${file}: it has no default export; write 'export default defineConfig({ … })'`)
  }
  return exports.default
}

const importConfig = async (file: string): Promise<Readonly<Record<string, unknown>>> => {
  try {
    return await importUserFile(file)
  } catch (error) {
    if (error instanceof JobqError) throw error
    throw new JobqError('usage', `${file}: ${messageOf(error)}`, { cause: error })
  }
}

const withAbsolutePaths = (values: CheckedConfig, folder: string): CheckedConfig => ({
  ...values,
  ...(values.broker && { broker: values.broker.map((url) => absoluteBroker(url, folder)) }),
  ...(values.metrics && { metrics: { ...values.metrics, textfile: path.resolve(folder, values.metrics.textfile) } }),
  ...(values.tasks && { tasks: values.tasks.map((task) => path.resolve(folder, task)) }),
  ...(values.keys?.folder && { keys: { ...values.keys, folder: path.resolve(folder, values.keys.folder) } }),
  ...(values.encrypt && { encrypt: { keyFile: path.resolve(folder, values.encrypt.keyFile) } }),
  ...(values.consumers && { consumers: values.consumers.map((each) => withAbsoluteFile(each, folder)) }),
  ...(values.cameras && { cameras: values.cameras.map((each) => withAbsoluteFile(each, folder)) }),
  ...(values.worker && { worker: { ...values.worker, ...withAbsoluteWatch(values.worker, folder) } }),
})

const withAbsoluteFile = <Target extends object, T extends { readonly target: Target | { readonly file: string } }>(
  settings: T,
  folder: string,
): T => {
  const { target } = settings
  return 'file' in target ? { ...settings, target: { file: path.resolve(folder, target.file) } } : settings
}

const withAbsoluteWatch = (
  { watch }: NonNullable<CheckedConfig['worker']>,
  folder: string,
): CheckedConfig['worker'] => {
  if (typeof watch !== 'object') return {}
  return { watch: { include: (watch.include ?? []).map((file) => path.resolve(folder, file)) } }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
