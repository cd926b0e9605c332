/**
 * The options that the user's own steps add to `jobq run`: known once the configuration file is loaded, which is
 * therefore done before the command line is read. They follow the rules of the built-in ones: a flag wins over its
 * environment variable, that over the default.
 */
import path from 'node:path'
import type { Command } from 'commander'
import { JobqError } from '../src/errors.ts'
import { quote } from '../src/quote.ts'
import { type StepOption, type StepOptionValues, takesValue, withRequired } from '../src/worker/define-step.ts'
import { defaultOf } from '../src/worker/own-steps.ts'
import { type LoadedConfig, loadConfig } from './config.ts'
import { option } from './options.ts'
import { type Origin, resolve, type Setting, type Sources, settings } from './settings.ts'
import type { Parse } from './values.ts'

interface OwnOption {
  readonly step: string
  readonly key: string
  readonly option: StepOption
  readonly long: string
  readonly setting: Setting<unknown>
}

/**
 * Adds the options of the steps of the configuration that these parameters choose. When help is asked for, a
 * configuration that does not load adds none.
 * @throws JobqError `usage` for a configuration that does not load, and naming both sides of a clash of flags
 */
export const addStepOptions = async (command: Command, parameters: readonly string[]): Promise<void> => {
  const config = await configOf(parameters)
  if (config === null) return
  const owner = new Map<string, string>()
  for (const { flags } of [...command.options, ...(command.parent?.options ?? []), { flags: '-h, --help' }]) {
    for (const word of wordsOf(flags)) owner.set(word, 'jobq run')
  }
  for (const own of ownOptions(config)) {
    for (const word of wordsOf(own.option.flags)) {
      const other = owner.get(word)
      if (other !== undefined) {
        const whose = other === 'jobq run' ? 'jobq run has' : `step ${quote(other)} adds`
        throw new JobqError(
          'usage',
          `${config.file}: step ${quote(own.step)} adds the option ${word}, which ${whose} too`,
        )
      }
      owner.set(word, own.step)
    }
    const made = takesValue(own.option)
      ? option(own.option.flags, textOf(own.option), own.setting.parse)
      : command.createOption(own.option.flags, own.option.description)
    command.addOption(made.helpGroup(`Options of the steps in ${path.basename(config.file)}:`))
  }
}

/** The values of the options of the configuration's steps, given those of the command line. */
export const stepValues = (flags: Readonly<Record<string, unknown>>, sources: Sources): StepOptionValues => {
  const values: Record<string, Record<string, unknown>> = {}
  for (const { step, key, long, setting } of ownOptions(sources.config)) {
    const { value } = resolve(setting, flags[attributeOf(long)], sources)
    values[step] = { ...values[step], [key]: value }
  }
  return values
}

/** What `jobq config` says of them. */
export const stepSettings = (sources: Sources): [key: string, shown: Origin<unknown>][] =>
  ownOptions(sources.config).map(({ long, setting }) => [attributeOf(long), resolve(setting, undefined, sources)])

const ownOptions = (config: LoadedConfig | null): OwnOption[] =>
  withRequired(config?.values.steps ?? []).flatMap(({ name, options }) =>
    Object.entries(options).map(([key, option]) => {
      const long = /--([a-z0-9-]+)/.exec(option.flags)?.[1] ?? ''
      const setting = {
        variable: `JOBQ_${long.toUpperCase().replaceAll('-', '_')}`,
        parse: parserOf(option),
        fromConfig: () => undefined,
        fallback: () => defaultOf(option),
      }
      return { step: name, key, option, long, setting }
    }),
  )

const parserOf = (option: StepOption): Parse<unknown> => {
  if (!takesValue(option)) return settings.json.parse
  if (option.parse === undefined) return typeof option.default === 'number' ? decimal : (text) => text
  return (text) => {
    try {
      return option.parse?.(text)
    } catch (error) {
      if (error instanceof JobqError) throw error
      throw new JobqError('usage', error instanceof Error ? error.message : String(error), { cause: error })
    }
  }
}

const decimal: Parse<number> = (text) => {
  if (/^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text)
  throw new JobqError('usage', `${quote(text)} is not a number`)
}

const configOf = async (parameters: readonly string[]): Promise<LoadedConfig | null> => {
  const cut = parameters.indexOf('--')
  const own = cut < 0 ? parameters : parameters.slice(0, cut)
  let named = process.env.JOBQ_CONFIG ?? ''
  for (const [index, word] of own.entries()) {
    if (word === '--config') named = own[index + 1] ?? ''
    else if (word.startsWith('--config=')) named = word.slice('--config='.length)
  }
  try {
    return await loadConfig(process.cwd(), named === '' ? null : named)
  } catch (error) {
    if (own.includes('--help') || own.includes('-h')) return null
    throw error
  }
}

const wordsOf = (flags: string): string[] => flags.match(/--?[A-Za-z][\w-]*/g) ?? []

const attributeOf = (long: string): string => long.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const textOf = ({ description, default: value }: StepOption): string =>
  value === undefined ? description : `${description}; default ${value}`
