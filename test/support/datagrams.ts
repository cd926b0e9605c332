import { spawn, spawnSync } from 'node:child_process'
import path from 'node:path'
import { Running } from './cli.ts'

// Node has no datagram sockets of this family.
const script = `
import os, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('listening', flush=True)
while True:
    print('\\n'.join('> ' + line for line in receiver.recv(65536).decode().splitlines()), flush=True)
`

/** True where datagrams can be received, which takes Python. */
export const hasDatagrams: boolean = process.platform === 'linux' && spawnSync('python3', ['--version']).status === 0

/** Receives datagrams at this path of a socket, as the lines of its stdout, each behind `> `, until it is killed. */
export const receive = async (socket: string): Promise<Running> => {
  const running = new Running(
    spawn('python3', ['-c', script, path.basename(socket)], {
      cwd: path.dirname(socket),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
  await running.until('listening', 'stdout')
  return running
}
