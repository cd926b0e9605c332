import type { Ability } from './parts/paint.ts'

/** What the variables of a process say of its terminal; `color` is what `--color` says. */
export const terminalAbility = (
  environment: Readonly<Record<string, string | undefined>>,
  color: 'auto' | 'always' | 'never',
): Ability => {
  const said = (name: string): string => environment[name] ?? ''
  const locale = said('LC_ALL') || said('LC_CTYPE') || said('LANG')
  const dumb = said('TERM') === 'dumb'
  const forced = said('CLICOLOR_FORCE') !== '' && said('CLICOLOR_FORCE') !== '0'
  const wanted = forced || (said('CLICOLOR') !== '0' && !dumb)
  return {
    color: color === 'always' || (color === 'auto' && said('NO_COLOR') === '' && wanted),
    weight: !dumb && color !== 'never',
    // Windows has no such variable, and its terminals can.
    unicode: /utf-?8/i.test(locale) || (locale === '' && process.platform === 'win32'),
  }
}
