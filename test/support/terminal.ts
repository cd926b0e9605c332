import { spawn, spawnSync } from 'node:child_process'
import { Running } from './cli.ts'

// Starts a program with a terminal of its own, whose session it leads. What the terminal shows comes out, and each line
// that goes in is a JSON text to type.
const script = `
import json, os, pty, sys, threading
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
def show():
    while True:
        try:
            shown = os.read(terminal, 65536)
        except OSError:
            shown = b''
        if not shown:
            os._exit(0)
        os.write(1, shown)
threading.Thread(target=show, daemon=True).start()
for line in sys.stdin:
    os.write(terminal, json.loads(line).encode())
`

/** True where programs can be given a terminal, which takes Python. */
export const hasTerminals: boolean = process.platform !== 'win32' && spawnSync('python3', ['--version']).status === 0

/** Keys that mean something to a terminal. */
export const keys = { interrupt: '\x03', suspend: '\x1a' } as const

/** A terminal with a program in it. */
export class Terminal {
  /** What the terminal shows is its stdout. */
  readonly shown: Running

  constructor(
    argv: readonly string[],
    options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  ) {
    this.shown = new Running(spawn('python3', ['-c', script, ...argv], { ...options, stdio: ['pipe', 'pipe', 'pipe'] }))
    this.shown.child.stdin?.on('error', () => undefined)
  }

  /** Types this. */
  type(text: string): void {
    this.shown.child.stdin?.write(`${JSON.stringify(text)}\n`)
  }

  /** Resolves once the terminal shows this. */
  until(text: string | RegExp): Promise<string> {
    return this.shown.until(text, 'stdout')
  }

  /** Takes the terminal away from whatever runs in it. */
  async hangUp(): Promise<void> {
    this.shown.child.kill('SIGKILL')
    await this.shown.ended
  }
}
