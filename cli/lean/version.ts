/** `jobq version`, without the rest of the command line. */
import { buildInfo } from '../build-info.ts'
import { writeAll } from '../write.ts'

/** Answers `version` or `version --json` on stdout; false, with nothing written, for any other arguments. Ends the process when that cannot be written. */
export async function version(parameters: readonly string[]): Promise<boolean> {
  if (parameters.length > 1 || (parameters.length === 1 && parameters[0] !== '--json')) return false
  try {
    writeAll(1, `${parameters[0] === '--json' ? JSON.stringify(versionDocument()) : versionLine()}\n`)
  } catch (error) {
    const { report } = await import('../report.ts')
    process.exit(report(error))
  }
  return true
}

/** What `jobq version --json` prints. */
export function versionDocument(): Readonly<Record<string, string | null>> {
  const { version, commit, sqlite } = buildInfo
  return { version, commit, node: process.versions.node, sqlite, platform: `${process.platform}-${process.arch}` }
}

/** What `jobq version` prints, without the end of the line. */
export function versionLine(): string {
  const { version, commit, node, sqlite, platform } = versionDocument()
  const from = commit === null || commit === undefined ? '' : `commit ${commit.slice(0, 12)}, `
  return `jobq ${version} (${from}Node ${node}, SQLite ${sqlite}, ${platform})`
}
