/**
 * Makes sure that no child outlives its worker. A child notices by itself that its worker is gone, but not
 * while a task keeps it from looking; nobody could end it then if the worker was killed outright. So a small
 * shell process beside the pool holds the list of what is to die, and its stdin, which closes with the worker;
 * it leaves the children a moment to go by themselves, with the programs that they run.
 */
import { type ChildProcess, spawn } from 'node:child_process'

const script = `trap '' INT HUP TERM QUIT
all=' '
while read -r change pid; do
  case $change in
    +) all="$all$pid " ;;
    -) case $all in *" $pid "*) all="\${all%% $pid *} \${all#* $pid }" ;; esac ;;
  esac
done
sleep 1
for pid in $all; do kill -s KILL -- "$pid"; done 2>/dev/null`

/** Kills what it is told of once this process is gone; does nothing where there is no `/bin/sh`. */
export class Sentinel {
  #shell: ChildProcess | null = null

  /** Begins to watch. */
  start(): void {
    if (this.#shell || process.platform === 'win32') return
    const shell = spawn('/bin/sh', ['-c', script], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env: {},
      cwd: '/',
    })
    shell.on('error', () => {})
    shell.stdin?.on('error', () => {})
    shell.unref()
    this.#shell = shell
  }

  /** A process, or as a negative number a process group, that must not outlive this one. */
  add(pid: number): void {
    this.#shell?.stdin?.write(`+ ${pid}\n`)
  }

  /** It has ended. */
  remove(pid: number): void {
    this.#shell?.stdin?.write(`- ${pid}\n`)
  }

  /** Ends watching; nothing is killed. */
  stop(): void {
    this.#shell?.kill('SIGKILL')
    this.#shell = null
  }
}
