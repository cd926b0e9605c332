/** A payload of about 100 bytes of JSON, different for each number. */
export const payloadOf = (n: number): { readonly n: number; readonly to: string; readonly subject: string } => ({
  n,
  to: `reader-${n % 1000}@example.org`,
  subject: 'The monthly letter is ready to be read',
})

/** That many payloads, numbered from `first`. */
export const payloads = (count: number, first = 0): ReturnType<typeof payloadOf>[] =>
  Array.from({ length: count }, (_, index) => payloadOf(first + index))
