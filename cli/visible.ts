// Control characters of both sets, separators that end a line elsewhere, everything that changes the direction or hides
// in other characters (bidi marks and overrides, zero-width and tag characters), and halves of surrogate pairs.
const hidden =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Surrogate}]/gu
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Text with every character escaped that a terminal would obey instead of show; stays on one line. */
export const visible = (text: string): string => text.replace(hidden, escaped)

/** As `visible`, but line breaks and tabs stay. */
export const visibleLines = (text: string): string =>
  text.replace(hidden, (character) => (character === '\n' || character === '\t' ? character : escaped(character)))

/** JSON text that means the same and shows what it holds: characters that `visible` escapes are written `\uXXXX`. */
export const visibleJson = (json: string): string =>
  json.replace(hidden, (character) => (character === '\n' ? character : units(character)))

const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  return short[character] ?? (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : units(character))
}

const units = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('')
