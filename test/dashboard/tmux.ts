import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { until } from '../support/until.ts'

/** True where there is tmux. */
export const hasTmux: boolean = process.platform !== 'win32' && spawnSync('tmux', ['-V']).status === 0

/** A terminal of tmux's, with a shell in it. */
export class TmuxPane {
  readonly #socket: string
  readonly #env: Readonly<Record<string, string>>

  constructor(
    folder: string,
    size: { readonly columns: number; readonly rows: number },
    env: Readonly<Record<string, string>>,
  ) {
    this.#socket = path.join(folder, 'tmux')
    this.#env = { ...env, SHELL: '/bin/sh', TERM: 'xterm-256color' }
    const shell = 'env PS1="ready> " /bin/sh'
    this.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      String(size.columns),
      '-y',
      String(size.rows),
      '-c',
      folder,
      shell,
    )
  }

  /** Types these keys, by tmux's names of them. */
  keys(...keys: string[]): void {
    this.#tmux('send-keys', ...keys)
  }

  /** Types this text at once. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', text)
  }

  /** The process that runs in the terminal's shell. */
  shellPid(): number {
    return Number(this.#tmux('display-message', '-p', '#{pane_pid}').trim())
  }

  /** What tmux says of the terminal, such as `alternate_on`, `cursor_flag`. */
  flag(name: string): string {
    return this.#tmux('display-message', '-p', `#{${name}}`).trim()
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows))
  }

  /** What is on the screen, with the sequences of its colours if they are wanted. */
  screen(...options: '-e'[]): string {
    return this.#tmux('capture-pane', '-p', ...options)
  }

  /** The screen, once it shows this. */
  async shows(text: string | RegExp): Promise<string> {
    const found = (screen: string): boolean => (typeof text === 'string' ? screen.includes(text) : text.test(screen))
    try {
      return await until(`${text}`, () => {
        const screen = this.screen()
        return found(screen) ? screen : null
      })
    } catch (error) {
      throw new Error(`the screen never showed ${text}:\n${this.screen()}`, { cause: error })
    }
  }

  end(): void {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server'])
  }

  #tmux(...parameters: string[]): string {
    const { status, stdout, stderr } = spawnSync('tmux', ['-S', this.#socket, ...parameters], {
      encoding: 'utf8',
      env: this.#env,
    })
    if (status !== 0) throw new Error(`tmux ${parameters.join(' ')}: ${stderr}`)
    return stdout
  }
}
