import { bindings } from '../keys.ts'
import { type Line, line, pad, span } from '../parts/line.ts'
import type { Room } from './view.ts'

/** The lines of the help behind the first `scroll`: the table of the keys, in as many columns as it takes. */
export const help = ({ width, height }: Room, scroll: number): Line[] => {
  const rows = bindings.filter(({ shown }) => shown !== '')
  const columns = Math.max(1, Math.min(Math.ceil(rows.length / (height - 3)), Math.floor(width / 38)))
  const size = Math.floor((width - 2) / columns)
  const tall = Math.ceil(rows.length / columns)
  const table = Array.from({ length: tall }, (_, row): Line => {
    const cells = Array.from({ length: columns }, (_, column) => rows[column * tall + row]).flatMap((binding) =>
      binding === undefined ? [] : [span(pad(` ${binding.shown}`, 11), 'strong'), span(pad(binding.does, size - 11))],
    )
    return [span(' '), ...cells]
  })
  const lines = [
    ...table,
    line(''),
    line('  A search: failed  queue:media  task:mail/send  tag:night  4711  any words', 'dim'),
    line('  Upper case asks before it acts; lower case never destroys.', 'dim'),
  ]
  const first = Math.max(0, Math.min(scroll, lines.length - height))
  return lines.slice(first, first + height)
}
