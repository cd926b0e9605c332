// A task's `input` is checked where its definition is known, and always before it runs.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Workspace } from '../support/cli.ts'
import { list, runAll } from './scenery.ts'

const library = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)

let workspace: Workspace
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(() => workspace.remove())

describe('the input of a task', () => {
  it('is checked by the tasks that enqueue it by its definition, and before it runs for those who did not', async () => {
    workspace.write(
      'tasks/mail.js',
      `import { defineTask } from ${library}
export default defineTask({
  name: 'mail', serializer: 'msgpack',
  input: { '~standard': { version: 1, vendor: 'test', validate: async (value) =>
    value?.to?.at instanceof Date ? { value: { ...value, checked: true } } : { issues: [{ message: 'a date is needed', path: ['to', { key: 'at' }] }] } } },
  run: ({ to, checked }) => ({ year: to.at.getUTCFullYear(), checked }),
})\n`,
    )
    workspace.write(
      'tasks/sender.js',
      `import mail from './mail.js'
export default async (payload, job) => {
  const refused = await job.enqueue(mail, { to: { at: 'tomorrow' } }).catch((error) => error.code + ': ' + error.message)
  return [refused, await job.enqueue(mail, { to: { at: new Date(0) } }, { priority: 7 })]
}\n`,
    )
    await workspace.output(['enqueue', 'sender'])
    await workspace.output(['enqueue', 'mail', '{"to":{"at":"tomorrow"}}', '--retries', '3'])
    await runAll(workspace)
    const [sender, wrong, right, ...others] = await list(workspace)
    assert.deepEqual(sender?.result, ['usage: payload: $.to.at: a date is needed', right?.id])
    assert.deepEqual(
      [wrong?.state, wrong?.attempt, wrong?.error?.type, wrong?.error?.message],
      ['failed', 1, 'InvalidPayload', '$.to.at: a date is needed'],
    )
    assert.deepEqual(
      [right?.state, right?.serializer, right?.result],
      ['succeeded', 'msgpack', { year: 1970, checked: true }],
    )
    assert.deepEqual(others, [])
  })
})
