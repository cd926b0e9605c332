// A child whose event loop a job holds: shown and told, left alone, and forgotten once it answers again.
import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { Workspace } from '../support/cli.ts'
import { until } from '../support/until.ts'

interface Child {
  readonly job: number | null
  readonly stuckMs: number | null
}

const workspace = new Workspace()
after(() => workspace.remove())

it('a child that does not answer is shown as stuck until it does', async () => {
  workspace.write(
    'tasks/spin.js',
    "import fs from 'node:fs'\nexport default (file) => { while (!fs.existsSync(file)); }\n",
  )
  workspace.write(
    'tasks/wait.js',
    "import fs from 'node:fs'\nexport default async (file) => { while (!fs.existsSync(file)) await new Promise((done) => setTimeout(done, 5)) }\n",
  )
  const worker = workspace.start(['run', '-c', '2', '--name', 'w'])
  await worker.until(/is online/)
  const open = JSON.stringify(`${workspace.folder}/open`)
  const waits = Number(await workspace.output(['enqueue', 'wait', open]))
  const spins = Number(await workspace.output(['enqueue', 'spin', open]))
  await worker.until(`does not answer: job ${spins} (spin)`)
  const childOf = async (job: number): Promise<Child | undefined> => {
    const [listed] = (await workspace.json(['workers'])) as { readonly children: readonly Child[] }[]
    return listed?.children.find((child) => child.job === job)
  }
  const stuckMs = (await childOf(spins))?.stuckMs
  assert.ok(typeof stuckMs === 'number' && stuckMs > 0)
  assert.equal((await childOf(waits))?.stuckMs, null, 'one that waits still answers')
  assert.match(await workspace.output(['control', 'dump']), new RegExp(`job ${spins} .*, not answering for \\d`))
  workspace.write('open', '')
  for (const id of [spins, waits]) assert.equal((await workspace.run(['wait', String(id)])).code, 0)
  const again = Number(await workspace.output(['enqueue', 'wait', JSON.stringify(`${workspace.folder}/later`)]))
  await until('the next job to run', () => childOf(again))
  assert.equal((await childOf(again))?.stuckMs, null)
  workspace.write('later', '')
  worker.child.kill('SIGTERM')
  const { stderr } = await worker.ended
  assert.equal(stderr.split('does not answer').length, 2, 'told once')
})
