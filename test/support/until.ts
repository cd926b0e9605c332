import assert from 'node:assert/strict'

/** Looks again and again until `look` gives something other than undefined, null or false; fails after `timeoutMs`, naming what was waited for. */
export const until = async <T>(
  what: string,
  look: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<Exclude<T, undefined | null | false>> => {
  const end = performance.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== null && found !== false) return found as Exclude<T, undefined | null | false>
    if (performance.now() > end) assert.fail(`waited for ${what} for ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
