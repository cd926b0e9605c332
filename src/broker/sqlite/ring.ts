import fs from 'node:fs'

/** The named pipe of one worker's session. */
export const bellPath = (file: string, session: number): string => `${file}-bell.${session}`

/** Rings one worker's bell; false when nobody is there to hear it. */
export const ring = (file: string, session: number): boolean => {
  try {
    const descriptor = fs.openSync(
      bellPath(file, session),
      fs.constants.O_WRONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW,
    )
    try {
      fs.writeSync(descriptor, '!')
    } finally {
      fs.closeSync(descriptor)
    }
    return true
  } catch (error) {
    // A full pipe means that it has been rung and not yet heard.
    return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
  }
}
