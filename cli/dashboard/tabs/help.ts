import { bindings } from '../keys.ts'
import { type Line, line, pad, span } from '../parts/line.ts'
import type { Room } from './view.ts'

/** The lines of the help: the table of the keys, in as many columns as there is room for. */
export const help = ({ width, height }: Room): Line[] => {
  const rows = bindings.filter(({ shown }) => shown !== '')
  const columns = rows.length + 2 <= height ? 1 : Math.max(1, Math.min(3, Math.floor(width / 38)))
  const size = Math.floor((width - 2) / columns)
  const tall = Math.ceil(rows.length / columns)
  const lines = Array.from(
    { length: tall },
    (_, row): Line => [
      span(' '),
      ...Array.from({ length: columns }, (_, column) => rows[column * tall + row]).flatMap((binding) =>
        binding === undefined ? [] : [span(pad(` ${binding.shown}`, 11), 'strong'), span(pad(binding.does, size - 11))],
      ),
    ],
  )
  return [
    line('  Upper case asks before it acts. Colour means state: running, succeeded, retrying, failed.', 'dim'),
    ...lines,
  ].slice(0, height)
}
