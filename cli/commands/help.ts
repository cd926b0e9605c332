import type { Command } from 'commander'
import { JobqError } from '../../src/errors.ts'
import { nearest } from '../../src/nearest.ts'
import { quote } from '../../src/quote.ts'
import { prose } from '../help.ts'
import { licenses } from '../licenses.ts'
import { topics } from '../topics.ts'
import { writeAll } from '../write.ts'

const names = [...Object.keys(topics), 'licenses']

/** Adds `jobq help`. */
export const register = (program: Command): void => {
  program
    .command('help')
    .argument('[topic]', `a command, or one of ${names.join(', ')}`)
    .description('explain a command or a topic')
    .action((topic: string | undefined) => writeAll(1, `${helpOn(topic, program).trimEnd()}\n`))
}

const helpOn = (topic: string | undefined, program: Command): string => {
  const commands = program.commands.flatMap((command) => [command.name(), ...command.aliases()])
  if (topic === undefined) return program.helpInformation()
  if (topic === 'licenses') return licenses()
  if (Object.hasOwn(topics, topic)) return prose(topics[topic as keyof typeof topics])
  const command = program.commands.find((each) => each.name() === topic || each.aliases().includes(topic))
  if (command !== undefined) return command.helpInformation()
  const meant = nearest(topic, [...names, ...commands])
  const hint = meant === null ? `topics: ${names.join(', ')}` : `did you mean ${meant}?`
  throw new JobqError('usage', `there is no help on ${quote(topic)}; ${hint}`)
}
