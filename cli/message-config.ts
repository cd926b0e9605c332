import type { CheckedConfig } from '../src/config.ts'
import { keysFolder } from './keys-folder.ts'
import type { Sources } from './settings.ts'

/** The configuration, with the folder of the keys where it is for this user. */
export const messageConfig = (sources: Sources): CheckedConfig => {
  const values = sources.config?.values ?? {}
  if (values.keys?.folder !== undefined) return values
  const folder = folderOrNull(sources)
  return folder === null ? values : { ...values, keys: { ...values.keys, folder } }
}

// Without a home directory there are no keys; whoever needs one is told so.
const folderOrNull = (sources: Sources): string | null => {
  try {
    return keysFolder(sources)
  } catch {
    return null
  }
}
