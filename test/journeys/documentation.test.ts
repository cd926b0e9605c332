/**
 * What the documentation promises by its form: links that lead somewhere, commands that the command line understands,
 * and programs whose types are right.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import type { Command } from 'commander'
import { buildProgram } from '../../cli/program.ts'

const root = path.resolve(import.meta.dirname, '../..')
const pages = fs.globSync(['*.md', 'docs/*.md', 'examples/**/*.md'], { cwd: root }).sort()
const read = (page: string): string => fs.readFileSync(path.join(root, page), 'utf8')

/** The text between fences of this language. */
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, name, block = '']) =>
    name === language ? [block] : [],
  )
const prose = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '')

/** The anchors of a page, made of its headings as GitHub does it. */
const anchors = (page: string): string[] =>
  [...prose(read(page)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

describe('links', () => {
  const { files } = JSON.parse(read('package.json')) as { files: string[] }
  const packed = (file: string): boolean =>
    ['README.md', 'LICENSE'].includes(file) || files.some((each) => file === each || file.startsWith(`${each}/`))

  for (const page of pages) {
    test(`of ${page} lead somewhere, in the npm package too`, () => {
      for (const [, target = ''] of prose(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue
        const [relative = '', anchor] = target.split('#')
        const file = relative === '' ? page : path.posix.join(path.posix.dirname(page), relative)
        assert.ok(fs.existsSync(path.join(root, file)), `${target}: there is no ${file}`)
        if (packed(page)) assert.ok(packed(file), `${target}: ${file} is not in the package`)
        if (anchor !== undefined) assert.ok(anchors(file).includes(anchor), `${target}: no such heading in ${file}`)
      }
    })
  }

  test('lead from README.md to each page of docs', () => {
    for (const page of pages.filter((each) => each.startsWith('docs/'))) {
      assert.ok(read('README.md').includes(`](${page}`), page)
    }
  })
})

/** The parameters of each `jobq` in a script, as a shell would give them, `1` for variables; what follows a pipe, a redirection or `#` is not its own. */
const commandsIn = (script: string): string[][] =>
  [...script.matchAll(/(?:^|\$\(|[|;] *)(?:\.\/)?jobq +(.*)$/gm)].map(([, rest = '']) => {
    const words: string[] = []
    for (const [word] of rest.matchAll(/(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/g)) {
      if (/^(?:[0-9]?>|[|&#;])/.test(word)) break
      words.push(
        word.replace(
          /'([^']*)'|"((?:\\.|[^"\\])*)"|\)$/g,
          (_, single = '', double = '') => single + double.replace(/\$\w+/g, '1'),
        ),
      )
    }
    return words
  })

describe('commands', () => {
  /** The command line with all that it checks and nothing that it does; it has the options of the documentation's own steps too. */
  const understanding = async (): Promise<Command> => {
    const program = await buildProgram('completion', false)
    const steps = [...pages, ...fs.globSync('examples/steps/*.ts', { cwd: root })].map(read).join('\n')
    for (const command of program.commands) {
      command.action(() => undefined)
      if (command.name() !== 'run') continue
      for (const [, flags = ''] of steps.matchAll(/flags: '([^']+)'/g)) command.option(flags)
    }
    return program
  }

  for (const page of pages) {
    const scripts = blocks(read(page), 'sh')
    const commands = scripts.flatMap(commandsIn)
    if (commands.length === 0) continue
    test(`of ${page} are understood`, async () => {
      const program = await understanding()
      for (const words of commands) {
        if (words.includes('--help')) continue
        await assert.doesNotReject(program.parseAsync(words, { from: 'user' }), `jobq ${words.join(' ')}`)
      }
    })
  }

  test('that the text names exist', async () => {
    const program = await buildProgram('completion', false)
    const names = program.commands.flatMap((command) => [command.name(), ...command.aliases()])
    for (const page of pages) {
      for (const [, name = ''] of prose(read(page)).matchAll(/`jobq ([a-z]+)/g)) {
        assert.ok(names.includes(name), `${page}: jobq ${name}`)
      }
    }
  })
})

describe('programs in TypeScript', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-documentation-'))
  after(() => fs.rmSync(folder, { recursive: true, force: true }))

  test('have the types that they should', () => {
    const programs = pages.flatMap((page) => blocks(read(page), 'ts').filter((block) => /^import /m.test(block)))
    assert.ok(programs.length > 5)
    for (const [index, program] of programs.entries()) fs.writeFileSync(path.join(folder, `${index}.ts`), program)
    // Packages that a reader would install, but whose types are not here.
    const packages = programs.flatMap((program) =>
      [...program.matchAll(/ from '([^.'][^']*)'/g)].map(([, name = '']) => name),
    )
    const own = ['jobq', 'jobq/conformance']
    const absent = packages.filter(
      (name) => !own.includes(name) && !fs.existsSync(path.join(root, 'node_modules', name)),
    )
    fs.writeFileSync(path.join(folder, 'absent.d.ts'), absent.map((name) => `declare module '${name}'\n`).join(''))
    fs.cpSync(path.join(root, 'examples/tasks'), path.join(folder, 'tasks'), { recursive: true })
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')
    const compilerOptions = {
      paths: {
        jobq: [path.join(root, 'src/index.ts')],
        'jobq/conformance': [path.join(root, 'test/broker/conformance/conformance.ts')],
      },
      noUnusedLocals: false,
      noUnusedParameters: false,
    }
    const settings = { extends: path.join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'], exclude: [] }
    fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(settings))
    const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
    const { status, stdout } = spawnSync(process.execPath, [compiler, '--noEmit', '-p', folder], { encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  })
})
