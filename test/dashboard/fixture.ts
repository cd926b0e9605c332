import { Dashboard } from '../../cli/dashboard/dashboard.ts'
import type { Outside } from '../../cli/dashboard/doer.ts'
import { frame } from '../../cli/dashboard/frame.ts'
import { textOf } from '../../cli/dashboard/parts/line.ts'
import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { Queue } from '../../src/client.ts'
import { ends, Scene } from '../broker/conformance/scene.ts'
import { until } from '../support/until.ts'

/** The instant at which everything in `busyScene` ends: 2027-01-15T08:20:00Z. */
export const endsAt = 1_800_001_200_000

/** What a dashboard asks of the world around it, noted. */
export class Noted implements Outside {
  readonly done: string[] = []
  async page(text: string): Promise<void> {
    this.done.push(`page ${text}`)
  }
  copy(text: string): void {
    this.done.push(`copy ${text}`)
  }
  quit(): void {
    this.done.push('quit')
  }
  interrupt(): void {
    this.done.push('interrupt')
  }
}

/** Twenty minutes of a small site: jobs that ended well and badly, one that runs, some that wait, a paused queue, a worker. */
export const busyScene = async (): Promise<Scene> => {
  const scene = new Scene(new MemoryBroker())
  const { broker } = scene
  await broker.tasks.publish([{ task: 'media/resize' }, { task: 'mail/send' }])
  const { worker: session } = await scene.request()
  const claim = { worker: session, limit: 1 }
  for (let minute = 0; minute < 18; minute++) {
    const mails = minute % 6 === 5 ? 1 : 3
    for (let mail = 0; mail < mails; mail++) {
      await scene.addId({
        task: 'mail/send',
        queue: 'mail',
        payload: { serializer: 'json', text: `{"to":"ann${minute}@example.com"}` },
      })
      scene.pass(200 * (1 + (minute % 4)))
      const job = await scene.claimOne(claim)
      await scene.settle(scene.started(job))
      scene.pass(300)
      const end = minute === 7 && mail === 1 ? ends.failed('550 no such mailbox') : ends.succeeded()
      await scene.settle(scene.finished(job, end, scene.at - 300))
    }
    scene.at = endsAt - 1_200_000 + (minute + 1) * 60_000
  }
  await scene.addId({
    task: 'media/resize',
    queue: 'media',
    retries: 3,
    payload: { serializer: 'json', text: '{"file":"a.png"}' },
  })
  const retried = await scene.claimOne(claim)
  await scene.settle(scene.started(retried))
  scene.pass(2_000)
  await scene.settle(
    scene.finished(retried, ends.retried(scene.at + 600_000, 'no space left on device'), scene.at - 2_000),
  )
  for (let file = 0; file < 40; file++) {
    await scene.addId({
      task: 'media/resize',
      queue: 'media',
      tags: ['night'],
      payload: { serializer: 'json', text: `{"file":"img-${file}.png"}` },
    })
  }
  await scene.addId({
    task: 'exec',
    queue: 'default',
    name: 'rm \u001b[31m -rf\u200b',
    payload: { serializer: 'json', text: '{"argv":["convert","a b.png"]}' },
  })
  await scene.addId({ task: 'mail/send', queue: 'mail', hold: true })
  await scene.addId({ task: 'mail/send', queue: 'news', dueAt: endsAt + 3_600_000 })
  await scene.addId({ task: 'mail/send', queue: 'news' })
  await broker.setPaused('news', true, scene.now())
  const running = await scene.claimOne({ ...claim, queues: [{ name: 'media', weight: 1 }] })
  await scene.settle(scene.started(running))
  scene.pass(41_000)
  await scene.settle(scene.progress(running, 0.62, 'frame 62 of 100'))
  scene.at = endsAt
  const child = {
    state: 'busy',
    job: running.id,
    task: 'media/resize',
    sinceMs: 41_000,
    stuckMs: null,
    rss: 61_000_000,
    processed: 51,
    inFlight: 1,
  } as const
  const idle = {
    ...child,
    pid: 4713,
    state: 'idle',
    job: null,
    task: null,
    sinceMs: 900,
    rss: 48_000_000,
    processed: 1,
    inFlight: 0,
  } as const
  await broker.workers.beat(
    session,
    { status: 'online', size: 2, busy: 1, processed: 52, children: [{ ...child, pid: 4711 }, idle] },
    scene.now(),
  )
  return scene
}

/** A dashboard on a scene, opened and complete, that only goes on when it is told. */
export const openOn = async (
  scene: Scene,
  size: { readonly columns: number; readonly rows: number },
  outside = new Noted(),
) => {
  const clock = { now: () => scene.now() }
  const queue = new Queue(scene.broker, { clock })
  const dashboard = new Dashboard({
    queue,
    clock,
    url: 'sqlite:/srv/app/jobq.db',
    inWorker: false,
    ...size,
    shown: (job) => job,
    outside,
  })
  await dashboard.open(null)
  await dashboard.complete()
  return dashboard
}

/** The text of a dashboard's screen. */
export const screenOf = (dashboard: Dashboard): string =>
  `${frame(dashboard.state)
    .map((line) => textOf(line).trimEnd())
    .join('\n')}\n`

/** Presses keys, and waits until the screen shows something. */
export const pressUntil = async (dashboard: Dashboard, keys: readonly string[], shown: string): Promise<string> => {
  for (const key of keys) dashboard.press(key)
  await until(`'${shown}' on the screen:\n${screenOf(dashboard)}`, () => screenOf(dashboard).includes(shown), 10_000)
  return screenOf(dashboard)
}
