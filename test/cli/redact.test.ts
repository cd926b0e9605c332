import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { Workspace } from '../support/cli.ts'

const workspace = new Workspace()
after(() => workspace.remove())

it('what the configuration redacts is never shown', async () => {
  workspace.write('jobq.config.json', '{"redact": ["password", "TOKEN"]}')
  workspace.write('tasks/echo.js', 'export default (payload) => payload\n')
  const add = async (...parameters: string[]): Promise<string> =>
    (await workspace.output(['enqueue', ...parameters])).trim()
  const task = await add('echo', '{"user":"ann","deep":[{"password":"s3cret"}]}')
  const command = await add('--env', 'TOKEN=s3cret', '--', 'true')
  await workspace.output(['run', '--drain', '-c', '1'])
  for (const id of [task, command]) {
    for (const parameters of [
      ['show', id],
      ['show', id, '--json'],
      ['wait', id],
      ['wait', id, '--json'],
      ['ls'],
      ['ls', '--json'],
      ['events', '--json'],
    ]) {
      const text = await workspace.output(parameters)
      assert.ok(!text.includes('s3cret'), `${parameters.join(' ')}: ${text}`)
    }
  }
  const job = (await workspace.json(['show', task])) as { payload: unknown; result: unknown }
  const shown = { user: 'ann', deep: [{ password: '[redacted]' }] }
  assert.deepEqual([job.payload, job.result], [shown, shown])
})

it('variables of a command are shown by name, their values only when asked for', async () => {
  workspace.write('jobq.config.json', '{"redact": ["password", "TOKEN"]}')
  const id = (
    await workspace.output(['enqueue', '--env', 'DATABASE=hush', '--env', 'TOKEN=s3cret', '--', 'true'])
  ).trim()
  for (const parameters of [
    ['show', id],
    ['show', id, '--json'],
    ['ls', '--json'],
  ]) {
    assert.ok(!(await workspace.output(parameters)).includes('hush'), parameters.join(' '))
  }
  const job = (await workspace.json(['show', id, '--raw'])) as { payload: { env: unknown } }
  assert.deepEqual(job.payload.env, { DATABASE: 'hush', TOKEN: '[redacted]' })
})
