/**
 * Noticing that nobody reads stdout any more while there is nothing to write: a write would say so, but a follower may
 * wait for hours before its next one. A socket refuses even a write of nothing. A pipe takes that, so the system has to be
 * asked by poll(2), and the one door that Node has to it is the WebAssembly system interface, which needs no WebAssembly
 * for this: only the memory through which it is spoken to.
 */
import fs from 'node:fs'

const lookEveryMs = 200

/** Calls `onGone` once when the reader of stdout has gone. Keeps no process alive; the function that it gives ends the watch. */
export const watchReader = async (onGone: () => void): Promise<() => void> => {
  const kind = fs.fstatSync(1)
  const isGone = kind.isSocket() ? refusesNothing : kind.isFIFO() ? await pipeQuestion() : null
  if (isGone === null) return () => undefined
  const timer = setInterval(() => {
    if (!isGone()) return
    clearInterval(timer)
    onGone()
  }, lookEveryMs)
  timer.unref()
  return () => clearInterval(timer)
}

const refusesNothing = (): boolean => {
  try {
    fs.writeSync(1, new Uint8Array(0))
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPIPE'
  }
}

/** Where the question, the answers and their number lie in the memory: see `poll_oneoff` of WASI preview 1. */
const at = { writable: 0, clock: 48, answers: 128, count: 256 } as const
const tag = { clock: 0, write: 2 } as const
/** A full pipe has no room, and keeps nobody waiting for longer than this. */
const patienceNs = 1_000_000n

// The types of Node leave WebAssembly to those of browsers.
const { Memory } = Reflect.get(globalThis, 'WebAssembly') as {
  readonly Memory: new (pages: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
}

const pipeQuestion = async (): Promise<(() => boolean) | null> => {
  const { WASI } = await importWasi()
  const wasi = new WASI({ version: 'preview1', stdout: 1 })
  const memory = new Memory({ initial: 1 })
  wasi.initialize({ exports: { memory } })
  const { poll_oneoff: poll } = wasi.wasiImport
  if (typeof poll !== 'function') return null
  const view = new DataView(memory.buffer)
  view.setUint8(at.writable + 8, tag.write)
  view.setUint32(at.writable + 16, 1, true)
  view.setUint8(at.clock + 8, tag.clock)
  view.setUint32(at.clock + 16, 1, true)
  view.setBigUint64(at.clock + 24, patienceNs, true)
  return () => {
    if (Reflect.apply(poll, undefined, [at.writable, at.answers, 2, at.count]) !== 0) return false
    if (view.getUint32(at.count, true) !== 1) return false
    const error = view.getUint16(at.answers + 8, true)
    return view.getUint8(at.answers + 10) === tag.write && error !== 0
  }
}

/** Node calls this interface experimental, on stderr, to whoever runs the program. */
const importWasi = async (): Promise<typeof import('node:wasi')> => {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return await import('node:wasi')
  } finally {
    process.emitWarning = emitWarning
  }
}
