/** What becomes of a failure: one line on stderr and an exit code. */
import { CommanderError } from 'commander'
import { JobqError } from '../src/errors.ts'
import { Exit, exitCodes } from './exit.ts'
import { Output } from './output.ts'
import { ReaderGone } from './write.ts'

/** Tells people what went wrong and gives the exit code for it. */
export const report = (error: unknown): number => {
  if (error instanceof ReaderGone) return 0
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  const { code, message } = failure(error)
  if (message !== '') complaints().complain(message)
  return code
}

const failure = (error: unknown): { readonly code: number; readonly message: string } => {
  if (error instanceof Exit) return { code: error.code, message: error.message }
  if (error instanceof CommanderError && error.code === 'commander.help') {
    return { code: 2, message: "a command is missing; 'jobq -h' lists them" }
  }
  if (error instanceof CommanderError) {
    return { code: 2, message: error.message.replace(/^error: /, '').replaceAll('\n', ' ') }
  }
  if (error instanceof JobqError) return { code: exitCodes[error.code], message: error.message }
  const named = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : ''
  const message = `${named}${error instanceof Error ? error.message : String(error)}`
  const trace = process.env.JOBQ_DEBUG === '1' && error instanceof Error ? `\n${error.stack}` : ''
  return { code: 1, message: `${message.split('\n', 1)[0]}${trace}` }
}

/** An output for complaints, which must work before any session is open. */
const complaints = (): Output =>
  new Output({
    json: false,
    quiet: false,
    color: 'auto',
    environment: process.env,
    terminal: { stdout: false, stderr: process.stderr.isTTY === true, columns: 80 },
    now: Date.now,
  })
