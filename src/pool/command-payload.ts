/** What a command's payload says: what to run, where, with what besides the usual environment and on stdin. */
export interface CommandPayload {
  readonly argv: readonly [string, ...string[]]
  readonly cwd: string | null
  readonly env: Readonly<Record<string, string>>
  readonly stdin: string | Uint8Array | { readonly file: string } | null
}

/**
 * Reads a command's payload; `shell` instead of `argv` is a line for `/bin/sh`.
 * @throws TypeError naming what is wrong
 */
export const readCommandPayload = (payload: unknown): CommandPayload => {
  if (typeof payload !== 'object' || payload === null) throw new TypeError('$: an object is needed')
  const field = (name: string): unknown => Reflect.get(payload, name) ?? null
  const shell = field('shell')
  return {
    argv: shell === null ? words(field('argv')) : ['/bin/sh', '-c', string('$.shell', shell)],
    cwd: field('cwd') === null ? null : string('$.cwd', field('cwd')),
    env: environment(field('env') ?? {}),
    stdin: input(field('stdin')),
  }
}

const string = (place: string, value: unknown): string => {
  if (typeof value === 'string') return value
  throw new TypeError(`${place}: text is needed`)
}

const words = (value: unknown): readonly [string, ...string[]] => {
  const [program, ...rest] = Array.isArray(value) ? value.map((word, at) => string(`$.argv[${at}]`, word)) : []
  if (program === undefined || program === '')
    throw new TypeError('$.argv: a list that begins with a program is needed')
  return [program, ...rest]
}

const environment = (value: unknown): Record<string, string> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('$.env: an object is needed')
  const entries = Object.entries(value).map(([name, each]): [string, string] => {
    if (name === '' || name.includes('='))
      throw new TypeError(`$.env: ${JSON.stringify(name)} is no name of a variable`)
    return [name, string(`$.env.${name}`, each)]
  })
  return Object.fromEntries(entries)
}

const input = (value: unknown): CommandPayload['stdin'] => {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'object' && 'file' in value) return { file: string('$.stdin.file', value.file) }
  if (typeof value === 'object' && 'base64' in value)
    return Buffer.from(string('$.stdin.base64', value.base64), 'base64')
  throw new TypeError('$.stdin: text, { base64 } or { file } is needed')
}
