/**
 * Options and arguments of commands whose values are read at once by the library's parsers, so that a bad one
 * is a usage error that names the flag and shows the value, before anything is done.
 */
import { Argument, Option } from 'commander'
import { named, type Parse } from './values.ts'

export { jobId, listOf, named, nameOf, oneOf, type Parse, plainText, wholeNumber } from './values.ts'

/** An option whose value `parse` reads; given twice, the last one counts. */
export const option = <T>(flags: string, description: string, parse: Parse<T>): Option => {
  const made = new Option(flags, description)
  return made.argParser((text: string) => named(made.long ?? flags, () => parse(text)))
}

/** An option that may be given several times; `parse` gives a list for each, and the lists are joined. */
export const repeatable = <T>(flags: string, description: string, parse: Parse<readonly T[]>): Option => {
  const made = new Option(flags, description)
  return made.argParser((text: string, before: readonly T[] | undefined) => [
    ...(before ?? []),
    ...named(made.long ?? flags, () => parse(text)),
  ])
}

/** A positional argument (`<id>`, `[name]`, `<id...>`) whose values `parse` reads. */
export const argument = <T>(name: string, description: string, parse: Parse<T>): Argument => {
  const made = new Argument(name, description)
  const read = (text: string): T => named(made.name(), () => parse(text))
  if (!made.variadic) return made.argParser(read)
  return made.argParser((text: string, before: readonly T[] | undefined) => [...(before ?? []), read(text)])
}
