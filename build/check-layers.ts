// Checks the rules that keep the sources in layers, and prints every violation as `file:line message`:
//
// - a file imports only from its own layer or a lower one, nothing in src imports cli, and the barrel src/index.ts is
//   for users only;
// - no file imports itself through others (types count too);
// - src is a library: it neither reads the environment, nor prints, nor ends the process, except in the entry of a pool
//   child, which is a program of its own.
import fs from 'node:fs'
import path from 'node:path'

type Import = { line: number; target: string }
type Source = { file: string; layer: number; imports: Import[]; code: string }

const root = path.dirname(import.meta.dirname)

// Everything in src that is not named here is of the lowest layer: job, outcome, event, errors, clock, values, boot, cron.
const layers: [name: string, paths: RegExp][] = [
  ['values', /^src\//],
  ['broker', /^src\/(policy|envelope|broker)(\.ts|\/)/],
  ['pool', /^src\/(pool|client|control|task|tasks|why|stats)(\.ts|\/)/],
  ['worker', /^src\/(worker|config)(\.ts|\/)/],
  ['barrel', /^src\/index\.ts$/],
  ['cli', /^cli\//],
]

const ownProcess = 'src/pool/child-main.ts'
const processUse = /\bprocess\.(env|exit|exitCode|reallyExit|stdout|stderr|stdin|argv)\b|\bconsole\.\w+/g

const sources = new Map<string, Source>()
for (const file of fs.globSync('{src,cli}/**/*.{ts,tsx}', { cwd: root }))
  sources.set(file, read(file.replaceAll('\\', '/')))

const violations = [...sources.values()].flatMap((source) => [...layerViolations(source), ...processViolations(source)])
violations.push(...cycles())
for (const violation of violations.sort()) console.error(violation)
if (violations.length > 0) process.exitCode = 1

function read(file: string): Source {
  const code = withoutComments(fs.readFileSync(path.join(root, file), 'utf8'))
  const imports: Import[] = []
  for (const match of code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)'(\.[^']*)'/g)) {
    const target = path.posix.join(path.posix.dirname(file), match[1] ?? '')
    imports.push({ line: lineOf(code, match.index), target })
  }
  return { file, layer: layers.findLastIndex(([, paths]) => paths.test(file)), imports, code }
}

function layerViolations({ file, layer, imports }: Source): string[] {
  return imports.flatMap(({ line, target }) => {
    const other = sources.get(target)
    if (other === undefined)
      return target.startsWith('migrations/') ? [] : [`${file}:${line} imports ${target}, which does not exist`]
    if (other.layer <= layer) return []
    return [`${file}:${line} (layer ${nameOf(layer)}) imports ${target} of the higher layer ${nameOf(other.layer)}`]
  })
}

function processViolations({ file, code }: Source): string[] {
  if (!file.startsWith('src/') || file === ownProcess) return []
  const text = code.replace(/'(?:\\.|[^'\\\n])*'/g, (string) => ' '.repeat(string.length))
  return [...text.matchAll(processUse)].map(
    (use) => `${file}:${lineOf(text, use.index)} uses ${use[0]} inside the library`,
  )
}

function cycles(): string[] {
  const found = new Map<string, string[]>()
  const done = new Set<string>()
  function visit(file: string, trail: string[]): void {
    if (trail.includes(file)) {
      const cycle = [...trail.slice(trail.indexOf(file)), file]
      // One file may be in very many of them; the shortest says enough.
      if (cycle.length < (found.get(file)?.length ?? Number.POSITIVE_INFINITY)) found.set(file, cycle)
      return
    }
    if (done.has(file)) return
    for (const { target } of sources.get(file)?.imports ?? []) visit(target, [...trail, file])
    done.add(file)
  }
  for (const file of sources.keys()) visit(file, [])
  return [...found].map(([file, cycle]) => `${file}:1 import cycle: ${cycle.join(' → ')}`)
}

function withoutComments(code: string): string {
  const stringOrComment = /('(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
  return code.replace(stringOrComment, (text, string) => (string === undefined ? text.replace(/[^\n]/g, ' ') : text))
}

function lineOf(code: string, index: number): number {
  return code.slice(0, index).split('\n').length
}

function nameOf(layer: number): string {
  return layers[layer]?.[0] ?? 'unknown'
}
