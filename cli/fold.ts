/** Prose that is written for wide lines, laid out again for a narrower terminal; lines that are indented stay lines of their own. */
export const fold = (text: string, width: number): string =>
  text
    .replaceAll(/(?<=^\S.*)\n(?=\S)/gm, ' ')
    .split('\n')
    .map((line) => foldLine(line, width))
    .join('\n')

/** One line as several; they begin below the second of its columns, which two spaces part from the first. */
const foldLine = (line: string, width: number): string => {
  if (line.length <= width) return line
  const indent = /^ *(?:\S+(?: \S+)* {2,})?/.exec(line)?.[0].length ?? 0
  const lines = [line.slice(0, indent)]
  let empty = true
  for (const word of line.slice(indent).split(' ')) {
    const last = lines.at(-1) ?? ''
    if (empty) lines[lines.length - 1] = `${last}${word}`
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`${' '.repeat(indent)}${word}`)
    empty = false
  }
  return lines.join('\n')
}
