// `npm run bench`: measures jobq, and what it can be compared with, on this machine, and prints a table of medians. Each
// figure stands beside a floor or a peer that was measured in the same round, because only their ratio says
// something on a machine that is busy with other things.
import os from 'node:os'
import { binary, isOutdated } from './binary.ts'
import { type Figures, type Row, toRow } from './figures.ts'
import { type BenchOptions, readOptions, usage } from './options.ts'
import { installPeers } from './peers/install.ts'
import type { Peer } from './peers/peer.ts'
import { Place } from './place.ts'
import { fullSizes, hugeSizes, quickSizes } from './sizes.ts'
import { formatTable } from './table.ts'
import type { Bench, Work } from './work.ts'
import { codecs } from './works/codecs.ts'
import { commands } from './works/commands.ts'
import { crash } from './works/crash.ts'
import { drain } from './works/drain.ts'
import { enqueue } from './works/enqueue.ts'
import { idle } from './works/idle.ts'
import { latency } from './works/latency.ts'
import { mixed } from './works/mixed.ts'
import { scale } from './works/scale.ts'
import { shell } from './works/shell.ts'
import { signing } from './works/signing.ts'

const works: readonly Work[] = [drain, enqueue, latency, shell, commands, idle, crash, scale, mixed, codecs, signing]
const say = (text: string): void => void process.stderr.write(`${text}\n`)
const places = new Set<Place>()
let failed = false

process.exitCode = await main()

async function main(): Promise<number> {
  const ids = works.map((work) => work.id)
  let options: BenchOptions
  try {
    options = readOptions(process.argv.slice(2), ids)
  } catch (error) {
    say(`${error instanceof Error ? error.message : error}\n${usage}`)
    return 2
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      await Promise.all([...places].map((place) => place.remove()))
      process.exit(signal === 'SIGINT' ? 130 : 143)
    })
  }
  binary()
  if (isOutdated()) say('dist/jobq is older than the sources: npm run build')
  const rows = options.peers
    ? await inPlace(async (place) => {
        const peers = await installPeers(place)
        try {
          return await measureAll(options, peers.all)
        } finally {
          await peers.end()
        }
      })
    : await measureAll(options, [])
  console.log(options.json ? JSON.stringify({ machine: machine(), rows }, null, 2) : `${formatTable(rows)}\n`)
  if (!options.json) console.log(machineText())
  return failed ? 1 : 0
}

async function measureAll(options: BenchOptions, peers: readonly Peer[]): Promise<Row[]> {
  const usual = options.quick ? quickSizes : fullSizes
  const sizes = options.huge ? hugeSizes(usual) : usual
  const rows: Row[] = []
  for (const work of works) {
    if (options.only !== null && !options.only.includes(work.id)) continue
    if (work.linuxOnly && process.platform !== 'linux') say(`${work.id} ${work.title}: only on Linux`)
    else {
      try {
        rows.push(...(await inPlace((place) => measure(work, { place, sizes, peers }, options.rounds))))
      } catch (error) {
        // The other works can still be measured.
        say(`${work.id} ${work.title}: ${error instanceof Error ? error.message : error}`)
        failed = true
      }
    }
  }
  return rows
}

async function measure(work: Work, bench: Bench, rounds: number): Promise<Row[]> {
  const prepared = await work.prepare(bench)
  const figures: Figures[] = []
  for (let round = 1; round <= rounds; round++) {
    say(`${work.id} ${work.title}: round ${round} of ${rounds}, load ${os.loadavg()[0]?.toFixed(1)}`)
    figures.push(await prepared.round())
  }
  await prepared.end?.()
  return prepared.rows.map((plan) => toRow(work.id, plan, figures))
}

async function inPlace<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const place = new Place()
  places.add(place)
  try {
    return await work(place)
  } finally {
    await place.remove()
    places.delete(place)
  }
}

function machine(): Record<string, unknown> {
  return {
    processors: os.availableParallelism(),
    model: os.cpus()[0]?.model ?? null,
    loadavg: os.loadavg(),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    folder: os.tmpdir(),
  }
}

function machineText(): string {
  const load = os.loadavg().map((each) => each.toFixed(1))
  return `${os.availableParallelism()} processors, ${process.platform}-${process.arch}, Node ${process.version}, files in ${os.tmpdir()}, load average ${load.join(' ')}`
}
