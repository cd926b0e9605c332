import assert from 'node:assert/strict'

/** One line of Prometheus text. */
export interface Line {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Reads the text that Prometheus scrapes, as strictly as it does: each name described before its values, no series twice. */
export const parsePrometheus = (text: string): Line[] => {
  assert.ok(text.endsWith('\n'))
  const types = new Map<string, string>()
  const helped = new Set<string>()
  const seen = new Set<string>()
  const lines: Line[] = []
  for (const row of text.split('\n')) {
    const [, kind, described = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(row) ?? []
    if (kind === 'HELP') helped.add(described)
    if (kind === 'TYPE') types.set(described, rest)
    if (row === '' || kind !== undefined) continue
    const [, name = '', list = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(row) ?? []
    assert.notEqual(name, '', `this is no line of Prometheus text: ${row}`)
    const base = types.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '')
    assert.ok(types.has(base) && helped.has(base), `${name} is not described before its values`)
    assert.ok(!seen.has(`${name}{${list}}`), `${name}{${list}} is there twice`)
    seen.add(`${name}{${list}}`)
    const labels = Object.fromEntries(
      [...list.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]),
    )
    lines.push({ name, labels, value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value) })
  }
  return lines
}

/** The value of the one line that has this name and these labels, whatever others it has; undefined where there is none. */
export const figureOf = (
  lines: readonly Line[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined => {
  const found = lines.filter(
    (line) => line.name === name && Object.entries(labels).every(([key, value]) => line.labels[key] === value),
  )
  assert.ok(found.length <= 1, `${found.length} lines are ${name} ${JSON.stringify(labels)}`)
  return found[0]?.value
}
