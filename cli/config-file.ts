import fs from 'node:fs'
import path from 'node:path'

/** The configuration files looked for in the working directory, the first one found counts. */
export const configFiles = ['jobq.config.ts', 'jobq.config.js', 'jobq.config.mjs', 'jobq.config.json'] as const

/** The path of the configuration file in a folder, or null. */
export const findConfig = (folder: string): string | null =>
  configFiles.map((name) => path.join(folder, name)).find((candidate) => fs.existsSync(candidate)) ?? null
