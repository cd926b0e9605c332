import type { Command } from 'commander'
import { explain } from '../help.ts'
import { openSession, type Session } from '../session.ts'
import { type GlobalFlags, type Origin, resolve, type Setting, settings } from '../settings.ts'
import { shownConfig } from '../shown-config.ts'
import { stepSettings } from '../step-options.ts'

/** Adds `jobq config`. */
export const register = (program: Command): void => {
  const command = program
    .command('config')
    .description('print the effective settings, and where each comes from')
    .action(async (_options: unknown, command: Command) => {
      const session = await openSession(command)
      const effective = effectiveSettings(session, command.optsWithGlobals())
      if (session.output.json) {
        session.output.document(Object.fromEntries(effective))
        return
      }
      session.output.table(
        [
          { title: 'key', value: ([key]) => key },
          { title: 'value', value: ([, { value }]) => (typeof value === 'string' ? value : JSON.stringify(value)) },
          { title: 'origin', value: ([, { origin }]) => origin },
        ],
        effective,
      )
    })
  explain(
    command,
    [
      ['jobq config', 'what holds here'],
      ['JOBQ_GRACE=1m jobq config --json', 'the same for a script'],
    ],
    'A flag wins over its environment variable, that over jobq.config.{ts,js,mjs,json}, that over the default.',
  )
}

type Entry = readonly [key: string, shown: Origin<unknown>]

const effectiveSettings = ({ sources, config }: Session, flags: GlobalFlags): readonly Entry[] => {
  const entry = <T>(key: keyof typeof settings, setting: Setting<T>, given?: T): Entry => {
    const { value, origin } = resolve(setting, given, sources)
    return [key, { value: setting.show === undefined ? value : setting.show(value), origin }]
  }
  const file = Object.entries(shownConfig(config?.values ?? {}))
    .filter(([key]) => !['broker', 'tasks', 'worker', 'http', 'metrics'].includes(key))
    .map(([key, value]): Entry => [key, { value, origin: config?.file ?? '' }])
  return [
    entry('broker', settings.broker, flags.broker),
    entry('color', settings.color, flags.color),
    entry('json', settings.json, flags.json),
    entry('quiet', settings.quiet, flags.quiet),
    entry('queues', settings.queues),
    entry('concurrency', settings.concurrency),
    entry('autoscale', settings.autoscale),
    entry('autoscaleKeepalive', settings.autoscaleKeepalive),
    entry('maxTasksPerChild', settings.maxTasksPerChild),
    entry('maxMemoryPerChild', settings.maxMemoryPerChild),
    entry('tasks', settings.tasks),
    entry('watch', settings.watch),
    entry('prefetch', settings.prefetch),
    entry('drain', settings.drain),
    entry('softTimeLimit', settings.softTimeLimit),
    entry('timeLimit', settings.timeLimit),
    entry('killAfter', settings.killAfter),
    entry('http', settings.http),
    entry('httpToken', settings.httpToken),
    entry('metricsTextfile', settings.metricsTextfile),
    entry('name', settings.name),
    entry('grace', settings.grace),
    entry('logLevel', settings.logLevel),
    entry('ui', settings.ui),
    entry('logFormat', settings.logFormat),
    ...stepSettings(sources),
    ...file,
  ]
}
