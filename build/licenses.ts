// The text with the licenses of all that is shipped as part of jobq: of the packages that a bundle really contains, and of
// what else goes into the binary. A package without a license text fails the build.
import fs from 'node:fs'
import path from 'node:path'
import { root } from './bundle.ts'

/** Something that is shipped, and on which terms. */
export interface Notice {
  readonly name: string
  readonly version: string
  /** The license's short name. */
  readonly license: string
  readonly text: string
}

/** The whole text: a list of everything, then the license of each. */
export const licensesText = (packages: Iterable<string>, others: readonly Notice[] = []): string => {
  const all = [...[...packages].map(noticeOf), ...others].map((each): [string, Notice] => [titleOf(each), each])
  // A package may be installed in several places.
  const notices = [...new Map(all.sort(([one], [other]) => (one < other ? -1 : 1))).values()]
  const width = Math.max(...notices.map((each) => titleOf(each).length))
  const list = notices.map((each) => `  ${titleOf(each).padEnd(width)}  ${each.license}`)
  const texts = notices.map((each) => `${rule}\n${titleOf(each)}\n\n${each.text.trim()}\n`)
  return [
    `Licenses of jobq and of what it contains\n\nIt contains these, whose licenses follow its own:\n\n${list.join('\n')}\n`,
    `${rule}\njobq\n\n${read(root, 'LICENSE').trim()}\n`,
    ...texts,
  ].join('\n')
}

const rule = '-'.repeat(80)
const titleOf = ({ name, version }: Notice): string => `${name} ${version}`

const noticeOf = (folder: string): Notice => {
  const place = path.resolve(root, folder)
  const { name, version, license } = JSON.parse(read(place, 'package.json'))
  if (typeof license !== 'string') throw new Error(`${folder} does not say what its license is`)
  return { name, version, license, text: textIn(place) ?? textOfOwner(place, name) }
}

const textIn = (folder: string): string | null => {
  const files = fs.readdirSync(folder)
  const license = files.find((each) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(each))
  if (license === undefined) return null
  const notices = files.filter((each) => /^notice(\.(md|txt))?$/i.test(each))
  return [license, ...notices].map((file) => read(folder, file)).join('\n')
}

/** Packages without a text, whose sources say that it is the license of their owner, which comes with another package. */
const owners: Readonly<Record<string, { readonly source: string; readonly sameAs: string }>> = {
  'yoga-layout': { source: 'dist/src/index.js', sameAs: 'react' },
}

const textOfOwner = (folder: string, name: string): string => {
  const owner = owners[name]
  if (owner === undefined) throw new Error(`${folder} has no license text: what is shipped must come with one`)
  const text = textIn(path.join(root, 'node_modules', owner.sameAs)) ?? ''
  const source = read(folder, owner.source)
  const [copyright = ''] = /Copyright \(c\) .*/.exec(source) ?? []
  if (copyright === '' || !text.includes(copyright) || !text.startsWith('MIT') || !source.includes('MIT license')) {
    throw new Error(`${folder} has no license text, and not that of ${owner.sameAs} either`)
  }
  return text
}

const read = (folder: string, name: string): string => fs.readFileSync(path.join(folder, name), 'utf8')
