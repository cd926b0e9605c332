/**
 * Knowing a process again: by host, boot, pid and start time (Linux: field 22 of `/proc/PID/stat`, see
 * proc(5)), so that neither a reused pid nor a restarted machine passes for a worker that is gone. Where the
 * platform does not tell start times, a pid that exists counts as alive and the lease decides.
 */
import fs from 'node:fs'
import os from 'node:os'
import type { ProcessIdentity } from './broker.ts'

const read = (file: string): string | null => {
  try {
    return fs.readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
}

/** Changes with every boot; where the platform has no such id, the boot's time to the minute. */
const bootId = (): string =>
  read('/proc/sys/kernel/random/boot_id') ?? `${Math.round((Date.now() / 1000 - os.uptime()) / 60)}`

/** Two containers of one machine have the same host name only by accident, and each its own pids. */
const hostId = (): string => {
  try {
    return `${os.hostname()}/${fs.readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return os.hostname()
  }
}

const startTime = (pid: number | 'self'): string | null => {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The second field is the command in parentheses and may hold spaces; state is the next, start time 20 further on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? null : (fields[19] ?? null)
}

/** This process. */
export const ownIdentity = (): ProcessIdentity => ({
  host: hostId(),
  pid: process.pid,
  boot: bootId(),
  startTime: startTime('self'),
})

/** False when that process is certainly gone: same host, and another boot, no such pid, or another start. */
export const mayBeAlive = (identity: ProcessIdentity, own: ProcessIdentity): boolean => {
  if (identity.host.split('/')[0] !== own.host.split('/')[0]) return true
  if (identity.boot !== own.boot) return false
  if (identity.host !== own.host) return true
  if (identity.startTime !== null) return startTime(identity.pid) === identity.startTime
  try {
    process.kill(identity.pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
