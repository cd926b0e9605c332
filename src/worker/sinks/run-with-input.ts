import { type ChildProcess, spawn } from 'node:child_process'
import { signalGroup, signalProcess } from '../../pool/signal-process.ts'

/** What is run, with what. */
export interface ProgramRun {
  readonly argv: readonly string[]
  readonly input: string
  readonly env: Readonly<Record<string, string>>
  /** Ends it when aborted. */
  readonly signal: AbortSignal
}

/** Between TERM and KILL, in milliseconds. */
const killAfterMs = 2_000
const lastWordsMs = 100
const complaintBytes = 4_096
const hasGroups = process.platform !== 'win32'

/** Runs a program with this on its stdin; rejects with the end of its stderr unless it ends with 0. When it is ended, nothing that it started is left in its process group. */
export const runWithInput = async ({ argv, input, env, signal }: ProgramRun): Promise<void> => {
  const [name = '', ...parameters] = argv
  const child = spawn(name, parameters, { env, stdio: ['pipe', 'ignore', 'pipe'], detached: hasGroups })
  const end = (signal: NodeJS.Signals): void => {
    if (child.pid !== undefined) (hasGroups ? signalGroup : signalProcess)(child.pid, signal)
  }
  let timer: NodeJS.Timeout | undefined
  const stop = (): void => {
    end('SIGTERM')
    timer = setTimeout(() => end('SIGKILL'), killAfterMs)
  }
  let complaint = ''
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text: string) => {
    complaint = (complaint + text).slice(-complaintBytes)
  })
  // A program need not read what it is given.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  try {
    const { code, killedBy } = await endOf(child)
    if (code === 0) return
    const said = complaint.trimEnd().split('\n').at(-1) ?? ''
    const how = killedBy === null ? `exit code ${code}` : `killed by ${killedBy}`
    throw new Error(`${how}${said === '' ? '' : `: ${said}`}`)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    if (signal.aborted) end('SIGKILL')
  }
}

/** Resolves when it has ended; what it has left running may have kept its stderr, which is waited for a moment only. */
const endOf = (child: ChildProcess): Promise<{ readonly code: number | null; readonly killedBy: string | null }> =>
  new Promise((resolve, reject) => {
    let last: NodeJS.Timeout | undefined
    child.on('error', reject)
    child.on('exit', (code, killedBy) => {
      last = setTimeout(() => resolve({ code, killedBy }), lastWordsMs)
    })
    child.on('close', (code, killedBy) => {
      clearTimeout(last)
      resolve({ code, killedBy })
    })
  })
