import fs from 'node:fs'

/** Resident memory of a process in bytes; null where the system does not tell. */
export const residentBytes = (pid: number): number | null => {
  try {
    const kibibytes = /^VmRSS:\s*(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kibibytes === undefined ? null : Number(kibibytes) * 1024
  } catch {
    return null
  }
}
