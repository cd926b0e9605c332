/** The value of a column that holds JSON; undefined for what is none, as somebody else may have written there. */
export const jsonColumn = (text: unknown): unknown => {
  if (typeof text !== 'string') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The object in a column that holds one as JSON; undefined for anything else. */
export const objectColumn = (text: unknown): Readonly<Record<string, unknown>> | undefined => {
  const value = jsonColumn(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
}
