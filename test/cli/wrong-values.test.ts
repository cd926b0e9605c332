import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, describe, it } from 'node:test'
import { Workspace } from '../support/cli.ts'

const workspace = new Workspace()
after(() => workspace.remove())

const command = ['--', 'true']

/** What is given, and what the message must name: the option, and the value as it is shown. */
const table: readonly (readonly [parameters: readonly string[], option: string, shown: string])[] = [
  ...(['-5', 'NaN', 'Infinity', '1e3', 'soon', '', '5 m', '9'.repeat(40)] as const).flatMap((value) =>
    ['--delay', '--expires'].map(
      (option) =>
        [['enqueue', option, value, ...command], option, JSON.stringify(value.slice(0, 40)).slice(0, -1)] as const,
    ),
  ),
  ...(['-1', '10', '5.5', 'NaN', '', 'high', '0x5', '1e0'] as const).map(
    (value) => [['enqueue', '-p', value, ...command], '--priority', JSON.stringify(value)] as const,
  ),
  ...(['-1', 'many', '1.5', '9007199254740993', ''] as const).map(
    (value) => [['enqueue', '--retries', value, ...command], '--retries', JSON.stringify(value)] as const,
  ),
  ...(['', 'a b', '../x', '/x', 'a\u001b[31m', '\u202e', 'x'.repeat(129), 'é'] as const).map(
    (value) => [['enqueue', '-q', value, ...command], '--queue', ' is not a name for a queue'] as const,
  ),
  [['enqueue', '--tag', 'a b', ...command], '--tag', '"a b"'],
  [['enqueue', '--at', '25:00', ...command], '--at', '"25:00"'],
  [['enqueue', '--at', '2026-02-30', ...command], '--at', '"2026-02-30"'],
  [['enqueue', '--backoff', 'sometimes', ...command], '--backoff', '"sometimes"'],
  [['enqueue', '--backoff', 'fixed:-1s', ...command], '--backoff', '"-1s"'],
  [['enqueue', '--on-conflict', 'explode', '--unique', 'k', ...command], '--on-conflict', '"explode"'],
  [['enqueue', '--on-conflict', 'fail', ...command], '--on-conflict', '--unique'],
  [['enqueue', '--unique', '', ...command], '--unique', '""'],
  [['enqueue', '--unique', 'x'.repeat(513), ...command], 'unique', 'xxx'],
  [['enqueue', '--name', 'x'.repeat(201), ...command], '--name', 'xxx'],
  [['enqueue', '--shell', ''], '--shell', 'a line for the shell'],
  [['enqueue', '--meta', 'novalue', ...command], '--meta', '"novalue"'],
  [['enqueue', '--meta', '=x', ...command], '--meta', '"=x"'],
  [['enqueue', '--env', 'NOT_SET_ANYWHERE', ...command], '--env', '"NOT_SET_ANYWHERE"'],
  [['enqueue', '--env', '=x', ...command], '--env', '"=x"'],
  [['enqueue', '--env', 'JOBQ_BROKER=x', ...command], '--env', '"JOBQ_BROKER=x"'],
  [['enqueue', '--after', '0', ...command], '--after', '"0"'],
  [['enqueue', '--after', '1,,2', ...command], '--after', '""'],
  [['enqueue', '--after-any', '-1', ...command], '--after-any', '"-1"'],
  [['enqueue', '--after', '9007199254740993', ...command], '--after', '"9007199254740993"'],
  [['enqueue', '--stdin', 'no-such-file', ...command], '--stdin', 'no-such-file'],
  [['enqueue', '--cwd', '', ...command], '--cwd', '""'],
  [['enqueue', '--cwd', '/tmp', 'a/task'], '--cwd', 'only for commands'],
  [['enqueue', '--delay', '1', '--at', '10:00', ...command], '--at', '--delay'],
  [['enqueue', '--shell', 'a', ...command], '--shell', 'not together'],
  [['enqueue', '--follow', ...command], '--follow', '--wait'],
  [['enqueue', '--raw', '--wait', ...command], '--raw', '--follow'],
  [['enqueue', '--batch', 'a'], '--batch', 'standard input'],
  [['enqueue', '--hold', ...command], "'--hold'", 'unknown option'],
  ...(['0', '0ms', '-1', 'soon', ''] as const).flatMap((value) =>
    ['--soft-time-limit', '--time-limit'].flatMap(
      (option) =>
        [
          [['enqueue', option, value, ...command], option, JSON.stringify(value)],
          [['run', option, value], option, JSON.stringify(value)],
        ] as const,
    ),
  ),
  [['enqueue', '--soft-time-limit', '5', '--time-limit', '5', ...command], '--soft-time-limit', 'not below'],
  [['run', '--soft-time-limit', '6', '--time-limit', '5'], '--soft-time-limit', 'not below --time-limit, which is 5s'],
  [['enqueue', 'a b'], 'task', '"a b"'],
  [['enqueue', '../../etc/passwd'], 'task', '"../../etc/passwd"'],
  [['enqueue', 'exec', '{}'], 'exec', 'task of commands'],
  [['enqueue', 't', 'not json'], 'payload', 'not JSON'],
  [['enqueue', 't', '@no-such-file'], 'payload', 'no-such-file'],
  [['enqueue', 't', '{"a":9007199254740993}'], 'payload', '$.a'],
  [['enqueue', 't', '{"a":{"constructor":1}}'], 'payload', '$.a'],
  [['enqueue', 't', '"\\u0000"'], 'payload', 'NUL'],
  [['enqueue', 't', '"\\ud800"'], 'payload', '$'],
  [['enqueue', 't', `${'['.repeat(101)}${']'.repeat(101)}`], 'payload', '100'],
  [['enqueue', 't', '1e400'], 'payload', '$'],
  [['enqueue', '--', ''], 'argv', 'program'],
  [['run', '-c', '0'], '--concurrency', '"0"'],
  [['run', '-c', '-1'], '--concurrency', '"-1"'],
  [['run', '-c', 'all'], '--concurrency', '"all"'],
  [['run', '-q', ''], '--queues', '""'],
  [['run', '-q', 'a:0'], '--queues', '"0"'],
  [['run', '-q', 'a,a'], '--queues', '"a,a"'],
  [['run', '-t', ''], '--tasks', '""'],
  [['run', '-t', 'no-such-folder'], '--tasks', 'no-such-folder'],
  [['run', '--prefetch', '-1'], '--prefetch', '"-1"'],
  [['run', '--drain=some'], '--drain', '"some"'],
  [['run', '--kill-after', 'NaN'], '--kill-after', '"NaN"'],
  [['run', '--grace', '-1'], '--grace', '"-1"'],
  [['run', '--name', 'a b'], '--name', '"a b"'],
  [['run', '--log-level', 'loud'], '--log-level', '"loud"'],
  [['run', '--log-format', 'xml'], '--log-format', '"xml"'],
  [['run', '--autoscale', '4'], '--autoscale', '"4"'],
  [['run', '--autoscale', '1,4'], '--autoscale', '1,4: MAX'],
  [['run', '--autoscale', '4,0'], '--autoscale', '4,0'],
  [['run', '--autoscale', '4,1', '-c', '2'], '--autoscale', 'without --concurrency'],
  [['run', '--autoscale-keepalive', 'x'], '--autoscale-keepalive', '"x"'],
  [['run', '--max-tasks-per-child', '0'], '--max-tasks-per-child', '"0"'],
  [['run', '--maxtasksperchild', '1.5'], '--maxtasksperchild', '"1.5"'],
  [['run', '--max-memory-per-child', 'much'], '--max-memory-per-child', '"much"'],
  [['run', 'extra'], 'too many arguments', 'extra'],
  [['wait', 'one'], 'id', '"one"'],
  [['wait', '1', '--timeout', 'x'], '--timeout', '"x"'],
  [['rm', '1.0'], 'id', '"1.0"'],
  [['pause', '..'], 'queue', '".."'],
  [['purge', 'a b', '-y'], 'queue', '"a b"'],
  [['backup', ''], 'file', '""'],
  [['backup', 'x', '-b', 'redis://host'], 'backup', 'redis://host'],
  [['enqueue', '-b', 'ftp://host/x', ...command], 'ftp', 'no broker is known'],
]

describe('a wrong value', () => {
  for (const [parameters, option, shown] of table) {
    it(`jobq ${JSON.stringify(parameters).slice(1, 90)}`, async () => {
      const { code, stdout, stderr } = await workspace.run(parameters)
      assert.equal(code, 2, stderr)
      assert.equal(stdout, '')
      assert.ok(stderr.includes(option), `${option} in ${stderr}`)
      assert.ok(stderr.includes(shown), `${shown} in ${stderr}`)
      assert.match(stderr, /^jobq: [^\n]*\n$/, 'one line')
      assert.doesNotMatch(
        stderr,
        /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/,
        'nothing that a terminal obeys',
      )
      assert.deepEqual(fs.readdirSync(workspace.folder), [], 'nothing is written')
    })
  }
})
