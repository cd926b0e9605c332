import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadTasks } from '../../src/pool/load-tasks.ts'

const folderOf = (context: TestContext, files: Readonly<Record<string, string>>): string => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq tasks-'))
  context.after(() => fs.rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), content, { mode: content.startsWith('#!') ? 0o755 : 0o644 })
  }
  return folder
}

const task = 'export default () => 1'
const defined = (options: string) => `export default { ...${options}, run() {}, [Symbol.for('jobq.task')]: true }`

test('the path is the name; helpers are passed over', async (context) => {
  const folder = folderOf(context, {
    'a.ts': task,
    'mail/send.mjs': task,
    'v1.2/b.cjs': 'module.exports = () => 1',
    'resize.py': '#!/usr/bin/env python3',
    bare: '#!/bin/sh',
    'transpiled.cjs': 'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = () => 1',
    'named.ts': defined(`{ name: 'other/name' }`),
    '_helper.ts': 'throw new Error("loaded")',
    '.hidden.js': 'throw new Error("loaded")',
    '_folder/x.ts': 'throw new Error("loaded")',
    'types.d.ts': 'export type A = 1',
    'a.test.ts': 'throw new Error("loaded")',
    'node_modules/x/index.js': 'throw new Error("loaded")',
    'library.ts': 'export const value = 1',
    'settings.ts': 'export default { value: 1 }',
    'notes.md': '# notes',
    'data.json': '{}',
  })
  fs.symlinkSync(folder, path.join(folder, 'loop'))
  const { tasks, problems } = await loadTasks([folder])
  assert.deepEqual(problems, [])
  assert.deepEqual([...tasks.keys()].sort(), ['a', 'bare', 'mail/send', 'other/name', 'resize', 'transpiled', 'v1.2/b'])
  assert.equal(tasks.get('resize')?.summary.kind, 'executable')
  assert.equal(tasks.get('a')?.summary.file, path.join(folder, 'a.ts'))
})

test('a single file is a task by its own name, its folder is left alone', async (context) => {
  const folder = folderOf(context, { 'deep/_one.ts': task, 'deep/two.ts': task })
  const { tasks } = await loadTasks([path.join(folder, 'deep', '_one.ts')])
  assert.deepEqual([...tasks.keys()], ['_one'])
})

test('options are read from the definition, or beside a plain function', async (context) => {
  const folder = folderOf(context, {
    'defined.ts': defined(
      `{ queue: 'media', priority: 7, retries: 3, backoff: 'linear:5s', expires: '1h', ack: 'early', maxCrashes: 5, unique: (p: { k: string }) => p.k }`,
    ),
    'plain.ts': `export const options = { retries: 1 }\n${task}`,
    'none.ts': task,
  })
  const { tasks, problems } = await loadTasks([folder])
  assert.deepEqual(problems, [])
  const summary = (name: string) => {
    const { file: _, ...rest } = tasks.get(name)?.summary ?? { file: '' }
    return rest
  }
  assert.deepEqual(summary('defined'), {
    name: 'defined',
    kind: 'module',
    validated: false,
    queue: 'media',
    priority: 7,
    retries: 3,
    backoff: { kind: 'linear', baseMs: 5_000, jitter: false },
    expiresMs: 3_600_000,
    ack: 'early',
    maxCrashes: 5,
  })
  assert.deepEqual(summary('plain'), { name: 'plain', kind: 'module', validated: false, retries: 1 })
  assert.deepEqual(summary('none'), { name: 'none', kind: 'module', validated: false })
})

test('what is wrong is told with its place, and does not keep the others from loading', async (context) => {
  const bad: Record<string, [source: string, line: number | null, message: RegExp]> = {
    'syntax.mjs': ['const a = 1\nconst b = = 2\n', 2, /Unexpected token/],
    'module-syntax.mjs': [
      '#!/usr/bin/env node\nimport fs, {\n  join } from "node:path"\nexport const a = await 1, b = import.meta.url\nexport { fs }\nexport default async () => {\n  return join(1,, 2)\n}',
      7,
      /Unexpected token ','/,
    ],
    'throws.mjs': ['\n\nthrow new TypeError("no database")\n', 3, /no database/],
    'odd-throw.mjs': ['throw null', null, /null/],
    'missing.mjs': ['import "./nowhere.mjs"', null, /nowhere\.mjs/],
    'enum.ts': ['const a = 1\nenum Colour { Red }\nexport default () => Colour.Red', 2, /enum.*types are removed/s],
    'parameter.ts': [
      'class A {\n  constructor(private b: number) {}\n}\nexport default () => new A(1)',
      2,
      /parameter propert.*types are removed/s,
    ],
    'unknown.ts': [defined('{ retires: 1 }'), null, /unknown option "retires"/],
    'range.ts': [defined('{ priority: 12 }'), null, /option priority: 12/],
    'duration.ts': [defined(`{ expires: 'soon' }`), null, /option expires: "soon"/],
    'input.ts': [defined('{ input: {} }'), null, /option input: .*Standard Schema/],
    'ack.ts': [defined(`{ ack: 'never' }`), null, /option ack: "never" is none of late, early/],
    'norun.ts': [`export default { [Symbol.for('jobq.task')]: true }`, null, /no function `run`/],
    'badoptions.ts': [`export const options = 7\n${task}`, null, /`options` is not an object/],
    'bad name.ts': [task, null, /"bad name" is not a name for a task/],
    'exec.ts': [task, null, /'exec' is the name of commands/],
  }
  const folder = folderOf(context, {
    'good.ts': task,
    ...Object.fromEntries(Object.entries(bad).map(([name, [source]]) => [name, source])),
  })
  const { tasks, problems } = await loadTasks([folder, path.join(folder, 'gone')])
  assert.deepEqual([...tasks.keys()], ['good'])
  for (const [name, [, line, message]] of Object.entries(bad)) {
    const problem = problems.find(({ file }) => file === path.join(folder, name))
    assert.ok(problem, name)
    assert.equal(problem.line, line, `${name}: ${problem.message}`)
    assert.match(problem.message, message)
  }
  assert.match(problems.find(({ file }) => file.endsWith('gone'))?.message ?? '', /no such file/)
  assert.equal(problems.length, Object.keys(bad).length + 1)
})

test('two files for one name are a problem of both, and neither is kept', async (context) => {
  const folder = folderOf(context, {
    'a.ts': task,
    'a.py': '#!/bin/sh',
    'b.ts': defined(`{ name: 'c' }`),
    'c.ts': task,
    'd.ts': task,
  })
  const { tasks, problems } = await loadTasks([folder])
  assert.deepEqual([...tasks.keys()], ['d'])
  assert.equal(problems.length, 4)
  assert.match(problems.find(({ file }) => file.endsWith('a.py'))?.message ?? '', /'a' is also the name of .*a\.ts/)
})

test('an object that only looks like a task is told of', async (context) => {
  const folder = folderOf(context, { 'almost.ts': 'export default { retries: 1, run() {} }' })
  const { tasks, problems } = await loadTasks([folder])
  assert.equal(tasks.size, 0)
  assert.deepEqual(
    problems.map(({ message }) => message),
    ['its default export has a function `run` and is no task: write `export default defineTask({ … })`'],
  )
})
