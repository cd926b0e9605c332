/**
 * Where a worker's socket is: in a folder of its own beside the queue's file, under the number of the worker's session and of
 * its process, so that two workers never meet, not even those of a queue and of another that has taken its place. Where that
 * cannot be (a path too long for a socket, a folder that others can enter or that cannot be made), in a fresh folder for
 * temporary files. Clients read the path from the worker's entry.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** The longest path of a socket in bytes, without the closing zero, on all systems. */
const maxPathBytes = 103

/** A place for one worker's socket. */
export interface SocketPlace {
  readonly path: string
  /** Takes away what is there. */
  remove(): void
}

/** The folder of sockets of the workers of a queue's file. */
export const socketFolderOf = (file: string): string => `${file}.control`

/** Makes the place for a session's socket; `file` is the queue's, null where it has none. */
export const makeSocketPlace = (file: string | null, session: number): SocketPlace => {
  const beside = file === null ? null : path.join(socketFolderOf(file), `${session}-${process.pid}.sock`)
  if (beside !== null && Buffer.byteLength(beside) <= maxPathBytes && makePrivateFolder(path.dirname(beside))) {
    return { path: beside, remove: () => fs.rmSync(beside, { force: true }) }
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-'))
  return {
    path: path.join(folder, `${session}.sock`),
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  }
}

/** Takes away the sockets that workers which are gone have left beside a queue's file; `living` is read after the folder. */
export const sweepSockets = async (file: string, living: () => Promise<ReadonlySet<number>>): Promise<void> => {
  const left = listSockets(socketFolderOf(file))
  if (left.length === 0) return
  const sessions = await living()
  for (const { session, socket } of left) if (!sessions.has(session)) fs.rmSync(socket, { force: true })
}

const listSockets = (folder: string): { readonly session: number; readonly socket: string }[] => {
  if (!isPrivate(folder)) return []
  return fs.readdirSync(folder).flatMap((name) => {
    const session = /^(\d+)-\d+\.sock$/.exec(name)?.[1]
    return session === undefined ? [] : [{ session: Number(session), socket: path.join(folder, name) }]
  })
}

/** False where the folder cannot be made, or is somebody else's or open to others: what is in it may be planted. */
const makePrivateFolder = (folder: string): boolean => {
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
    fs.chmodSync(folder, 0o700)
    return true
  } catch {
    return isPrivate(folder)
  }
}

const isPrivate = (folder: string): boolean => {
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && (stat.mode & 0o077) === 0 && stat.uid === process.getuid?.()
}
