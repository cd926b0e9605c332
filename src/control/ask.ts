import { once } from 'node:events'
import net from 'node:net'
import { maxTimerMs, systemClock } from '../clock.ts'
import { formatDuration } from '../duration.ts'
import { JobqError } from '../errors.ts'
import type { ControlCommand } from './command.ts'
import { type ControlReply, controlVersion, encodeFrame, linesOf, maxReplyBytes } from './frame.ts'

/**
 * Tells the worker behind a socket something and gives its reply.
 * @throws JobqError `timeout` when it has not answered within `timeoutMs`, `unavailable` when it is gone or what came
 * back cannot be read, `permission` when the socket is somebody else's
 */
export const askWorker = async (path: string, command: ControlCommand, timeoutMs: number): Promise<ControlReply> => {
  const expiresTick = systemClock.now().tick + timeoutMs
  const socket = net.connect({ path })
  // Every failure also reaches the one who waits below.
  socket.on('error', () => {})
  const late = new JobqError('timeout', `it has not answered within ${formatDuration(timeoutMs)}`)
  const timer = setTimeout(() => socket.destroy(late), Math.min(timeoutMs, maxTimerMs))
  try {
    await once(socket, 'connect')
    socket.write(encodeFrame({ version: controlVersion, id: 1, expiresTick, command }))
    for await (const line of linesOf(socket, maxReplyBytes)) return readReply(line)
    throw new JobqError('unavailable', 'it went away before it answered')
  } catch (error) {
    throw error instanceof JobqError ? error : toJobqError(error)
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

const readReply = (line: string): ControlReply => {
  const reply = JSON.parse(line) as ControlReply
  if (reply.version === controlVersion) return reply
  throw new JobqError(
    'unavailable',
    `it speaks version ${reply.version} of the control protocol, not ${controlVersion}`,
  )
}

const toJobqError = (error: unknown): JobqError => {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'EACCES' || code === 'EPERM') return new JobqError('permission', 'its socket belongs to somebody else')
  const gone = code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE'
  const reason = error instanceof Error ? error.message : String(error)
  return new JobqError('unavailable', gone ? 'it is gone' : `its answer cannot be read: ${reason}`, { cause: error })
}
