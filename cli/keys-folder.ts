import path from 'node:path'
import { home } from './broker-url.ts'
import type { Sources } from './settings.ts'

/** The folder of the keys: that of the configuration, else `$XDG_CONFIG_HOME/jobq/keys`, else `~/.config/jobq/keys`. */
export const keysFolder = ({ config, environment }: Sources): string => {
  const said = config?.values.keys?.folder
  if (said !== undefined) return said
  const base = environment.XDG_CONFIG_HOME
  if (base !== undefined && path.isAbsolute(base)) return path.join(base, 'jobq', 'keys')
  const unknown =
    "there is no home directory to keep keys in; say where they are with 'keys.folder' in the configuration"
  return path.join(home(environment, unknown), '.config', 'jobq', 'keys')
}
