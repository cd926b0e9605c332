/**
 * The power goes. A recorder notes every write and sync of a process that works with a queue file; for each moment of
 * the recording a disk is made that holds what was synced, and nothing, all or some sectors of the rest. No such disk may
 * lack a job that was acknowledged, or be damaged. `JOBQ_FAULT_ROUNDS` makes the recording longer.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import Database from 'better-sqlite3'
import { SeededRandom } from '../support/random.ts'
import { Disk, type Operation, readRecording, type Unsynced } from './power-cut/recording.ts'

const rounds = Number(process.env.JOBQ_FAULT_ROUNDS ?? 2)
const hasCompiler = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0

/** What was told up to a moment. */
interface Told {
  readonly queued: Set<number>
  readonly succeeded: Set<number>
}

const hear = (told: Told, lines: string): void => {
  for (const line of lines.trim().split('\n')) {
    const [what, ...ids] = line.split(' ')
    for (const id of ids) if (id !== '') told[what === 'queued' ? 'queued' : 'succeeded'].add(Number(id))
  }
}

describe('a power cut', { skip: hasCompiler ? false : 'needs Linux and a C compiler' }, () => {
  let folder = ''
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-power-'))
    const source = path.join(import.meta.dirname, 'power-cut', 'recorder.c')
    execFileSync('cc', [
      '-shared',
      '-fPIC',
      '-O2',

      '-o',
      path.join(folder, 'recorder.so'),
      source,
      '-ldl',
    ])
  })
  after(() => fs.rmSync(folder, { recursive: true }))

  const record = (
    synchronous: string,
    rounds: number,
  ): { operations: Operation[]; database: string; acknowledged: string } => {
    const place = path.join(folder, synchronous)
    fs.mkdirSync(place)
    const database = path.join(place, 'jobs.db')
    const acknowledged = path.join(place, 'acknowledged')
    const recording = path.join(folder, `${synchronous}.recording`)
    const writer = path.join(import.meta.dirname, 'power-cut', 'writer.ts')
    execFileSync(process.execPath, [writer, database, acknowledged, String(rounds), synchronous], {
      env: {
        PATH: process.env.PATH,
        LD_PRELOAD: path.join(folder, 'recorder.so'),
        RECORDED_FOLDER: place,
        RECORDING: recording,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return { operations: readRecording(recording), database, acknowledged }
  }

  /** Cuts the power after every operation and answers what was wrong with the disks. */
  const cutEverywhere = (
    synchronous: string,
    run: { readonly rounds: number; readonly seed: string; readonly ways: readonly Unsynced[] },
  ): { cuts: number; lost: string[]; damaged: string[] } => {
    const { operations, database, acknowledged } = record(synchronous, run.rounds)
    assert.ok(
      operations.some(({ kind, path }) => kind === 'sync' && path === `${database}-wal`),
      'it was recorded',
    )
    const random = new SeededRandom(run.seed)
    const disk = new Disk()
    const told: Told = { queued: new Set(), succeeded: new Set() }
    const image = path.join(folder, `${synchronous}-image`, 'jobs.db')
    fs.mkdirSync(path.dirname(image))
    const result = { cuts: 0, lost: [] as string[], damaged: [] as string[] }
    for (const [index, operation] of operations.entries()) {
      const acknowledges = operation.path === acknowledged
      if (acknowledges) hear(told, operation.data.toString())
      else disk.apply(operation)
      for (const unsynced of run.ways.filter((way) => acknowledges || tells(operation, way))) {
        writeImage(disk, { from: database, to: image, unsynced, random })
        const where = `after operation ${index} of ${operations.length}, what was not synced ${unsynced}`
        const { missing, damage } = look(image, told)
        result.cuts += 1
        if (missing.length > 0) result.lost.push(`${where}: ${missing}`)
        if (damage !== '') result.damaged.push(`${where}: ${damage}`)
      }
    }
    return result
  }

  test('loses nothing that was acknowledged and damages nothing', (t) => {
    const { seed } = new SeededRandom(process.env.JOBQ_FAULT_SEED)
    const { cuts, lost, damaged } = cutEverywhere('full', { rounds, seed, ways: ['lost', 'kept', 'torn'] })
    t.diagnostic(`seed ${seed}, ${cuts} cuts`)
    assert.deepEqual(lost.slice(0, 5), [], `${lost.length} of ${cuts} cuts lost something`)
    assert.deepEqual(damaged.slice(0, 5), [], `${damaged.length} of ${cuts} cuts damaged something`)
  })

  test('loses acknowledged jobs where commits are not synced: the control', (t) => {
    const { cuts, lost } = cutEverywhere('normal', { rounds: 1, seed: 'control', ways: ['lost'] })
    t.diagnostic(`${lost.length} of ${cuts} cuts lost something`)
    assert.ok(lost.length > 0)
  })
})

/** False where a disk would be as it was before the operation: a write changes nothing that is synced, a sync adds nothing that was written. */
const tells = ({ kind }: Operation, unsynced: Unsynced): boolean =>
  kind === 'write' ? unsynced !== 'lost' : kind === 'sync' ? unsynced === 'lost' : true

const writeImage = (
  disk: Disk,
  image: { readonly from: string; readonly to: string; readonly unsynced: Unsynced; readonly random: SeededRandom },
): void => {
  const { from, to, unsynced, random } = image
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    fs.rmSync(`${to}${suffix}`, { force: true })
    // The shared index is made anew from the log by whoever opens a file first.
    const content = suffix === '-shm' ? null : disk.afterCut(`${from}${suffix}`, unsynced, random)
    if (content !== null) fs.writeFileSync(`${to}${suffix}`, content)
  }
}

/** What a disk lacks of what was told, and what is wrong with it. */
const look = (image: string, told: Told): { missing: string[]; damage: string } => {
  const database = new Database(image)
  try {
    const damage = String(database.pragma('integrity_check', { simple: true }))
    const there = new Map<number, string>()
    const events = new Map<string, number>()
    if (told.queued.size > 0 && hasView(database)) {
      for (const { id, state } of database
        .prepare<[], { id: number; state: string }>('SELECT id, state FROM job_view')
        .iterate())
        there.set(id, state)
      for (const { job, type } of database
        .prepare<[], { job: number; type: string }>('SELECT job, type FROM event_view')
        .iterate())
        events.set(`${type} ${job}`, (events.get(`${type} ${job}`) ?? 0) + 1)
    }
    const missing: string[] = []
    for (const id of told.queued) if (!there.has(id) || events.get(`job.queued ${id}`) !== 1) missing.push(`job ${id}`)
    for (const id of told.succeeded)
      if (there.get(id) !== 'succeeded' || events.get(`job.succeeded ${id}`) !== 1) missing.push(`the end of job ${id}`)
    return { missing, damage: damage === 'ok' ? '' : damage }
  } catch (error) {
    return { missing: [...told.queued].map((id) => `job ${id}`), damage: String(error) }
  } finally {
    database.close()
  }
}

const hasView = (database: Database.Database): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'job_view'").get() !== undefined
