/** The licenses of what is shipped: of every package of which a bundle has a line. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { before, describe, test } from 'node:test'
import { type Bundle, bundle, root } from '../../build/bundle.ts'
import { licensesText } from '../../build/licenses.ts'

const info = { version: '1', commit: null, sqlite: '3', addon: null }

describe('the text with the licenses', () => {
  let made: Bundle
  let text: string
  before(async () => {
    made = await bundle({ main: 'cli/main.ts' }, info, { define: { 'import.meta.url': '""' } })
    text = licensesText(made.packages)
  })

  test('names every package from whose files a line is in the bundle, and has its license', () => {
    // The bundler writes the path of each file above what is from it.
    const files = [...made.modules.values()].flatMap((module) => module.match(/^\s*\/\/ \S*node_modules\/\S+$/gm) ?? [])
    const folders = files.flatMap((line) => /\/\/ (.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(line)?.[1] ?? [])
    const bundled = new Set(folders)
    for (const name of ['better-sqlite3', 'ink', 'react', 'commander', 'fflate', 'js-yaml']) {
      const isThere = [...bundled].some((folder) => folder.endsWith(`node_modules/${name}`))
      assert.ok(isThere, name)
    }
    for (const folder of [...bundled, 'node_modules/bzip2-wasm']) {
      const { name, version, license } = JSON.parse(fs.readFileSync(path.join(root, folder, 'package.json'), 'utf8'))
      assert.match(text, new RegExp(`^  ${name} ${version.replaceAll('.', '\\.')} +${license}$`, 'm'))
      const [, own = ''] = text.split(`\n${name} ${version}\n`)
      assert.match(own.split('-'.repeat(80))[0] ?? '', /copyright|permission|license/i, `${name} has no text`)
    }
  })

  test("has jobq's own, and the wording of each", () => {
    assert.ok(text.includes(fs.readFileSync(path.join(root, 'LICENSE'), 'utf8').trim()))
    assert.match(text, /\nbetter-sqlite3 [\d.]+\n\nThe MIT License[\s\S]*Joshua Wise/)
    assert.match(text, /\nyoga-layout [\d.]+\n\nMIT License[\s\S]*Meta Platforms/)
    assert.match(text, /\nbzip2-wasm [\d.]+\n[\s\S]*Julian R Seward/)
  })

  test('cannot be made with a package that comes without one', (context) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-licenses-'))
    context.after(() => fs.rmSync(folder, { recursive: true }))
    const describe = (more: object): void =>
      fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'bare', version: '1.0.0', ...more }))
    describe({ license: 'MIT' })
    assert.throws(() => licensesText([...made.packages, folder]), /jobq-licenses-.* has no license text/)
    fs.writeFileSync(path.join(folder, 'LICENSE.md'), 'Do what you want.')
    assert.match(licensesText([folder]), /^ {2}bare 1\.0\.0 {2}MIT$[\s\S]*Do what you want\./m)
    describe({})
    assert.throws(() => licensesText([folder]), /does not say what its license is/)
  })
})
