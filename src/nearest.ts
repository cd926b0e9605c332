/** The candidate that a mistyped word most likely meant: at most a third of its letters differ; else null. */
export const nearest = (word: string, candidates: readonly string[]): string | null => {
  let best: string | null = null
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase().slice(0, 100), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

// Letters inserted, deleted, replaced, or swapped with their neighbour (optimal string alignment).
const editDistance = (from: string, to: string): number => {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  const cost = (line: number, column: number): number => rows[line]?.[column] ?? 0
  for (let line = 1; line <= from.length; line++) {
    rows[line] = [line]
    for (let column = 1; column <= to.length; column++) {
      const same = from[line - 1] === to[column - 1]
      const swapped = line > 1 && column > 1 && from[line - 1] === to[column - 2] && from[line - 2] === to[column - 1]
      rows[line]?.push(
        Math.min(
          cost(line - 1, column - 1) + (same ? 0 : 1),
          cost(line - 1, column) + 1,
          cost(line, column - 1) + 1,
          swapped ? cost(line - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
  }
  return cost(from.length, to.length)
}
