import fs from 'node:fs'
import vm from 'node:vm'

/**
 * The line of a syntax error in a JavaScript module, which Node keeps to itself: the file is compiled once
 * more as a script, without what only modules may contain. Null where that does not lead to the same message.
 */
export const syntaxErrorLine = (file: string, message: string): number | null => {
  const source = fs.readFileSync(file, 'utf8')
  try {
    new vm.Script(`(async () => {${withoutModuleSyntax(source)}\n})`, { filename: 'task' })
    return null
  } catch (error) {
    const { message: found, stack = '' } = error as Error
    // Here the end comes later, after what is put around the source.
    if (message === 'Unexpected end of input') return source.trimEnd().split('\n').length
    const line = /^task:(\d+)\n/.exec(stack)?.[1]
    return found === message && line !== undefined ? Number(line) : null
  }
}

// Line for line the same.
const withoutModuleSyntax = (source: string): string =>
  source
    .replace(/^#!.*/, '')
    .replace(/\bimport\.meta\b/g, 'module')
    .replace(/^\s*import\b(?!\s*\()[^'"]*['"][^'"\n]*['"].*$/gm, blank)
    .replace(/^\s*export\s*(?:\*[^'"\n]*|\{[^}]*\})(?:\s*from\s*['"][^'"\n]*['"])?/gm, blank)
    .replace(/^(\s*)export\s+default\b/gm, '$1exported =')
    .replace(/^(\s*)export\b/gm, '$1')

const blank = (text: string): string => text.replace(/[^\n]/g, ' ')
