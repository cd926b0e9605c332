/** Signals a process, or as a negative number a process group; one that is gone already, or has taken on another user's rights, is left as it is. */
export const signalProcess = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/** Signals all of the process group that `pid` leads. */
export const signalGroup = (pid: number, signal: NodeJS.Signals): void => signalProcess(-pid, signal)

const canStop = process.platform !== 'win32'

/** Stops a process where it stands, which it cannot refuse; on Windows nothing does that. */
export const freeze = (pid: number): void => {
  if (canStop) signalProcess(pid, 'SIGSTOP')
}

/** Lets a frozen process go on. */
export const thaw = (pid: number): void => {
  if (canStop) signalProcess(pid, 'SIGCONT')
}
