/** A value as it stands in a message: in quotes, control characters escaped, cut after 80 characters. */
export const quote = (value: unknown): string => {
  const text = typeof value === 'string' ? value : asText(value)
  const cut = text.length > 80 ? text.slice(0, 80).replace(/[\ud800-\udbff]$/, '') + '…' : text
  return typeof value === 'string' ? JSON.stringify(cut) : cut
}

const asText = (value: unknown): string => {
  try {
    return String(value)
  } catch {
    // Data can bring a `toString` that is no function.
    return Object.prototype.toString.call(value)
  }
}
