/**
 * libbz2 in WebAssembly: its two functions that go from one buffer to another. The package's own JavaScript is not
 * used: it loads only asynchronously, writes to the global object and copies without regard for its bounds. An
 * instance is kept for the next call unless it has grown, because its memory never shrinks, or has trapped.
 */
import { readBzip2Wasm } from './bzip2-wasm.ts'

/** What libbz2 answers beside success. */
export type Bzip2Problem = 'too-large' | 'malformed'

const maxKeptBytes = 32 * 1024 ** 2
const pageBytes = 64 * 1024

const outputFull = -8

type Call = (...parameters: number[]) => number

interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

// Node's types name it without what is in it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

/** Compresses into at most `maxBytes`, in blocks of `level` times 100 kB. */
export const bzip2Compress = (bytes: Uint8Array, level: number, maxBytes: number): Uint8Array | Bzip2Problem =>
  run(bytes, maxBytes, (library, ...buffers) => library.compress(...buffers, level, 0, 0))

/** Decompresses the first stream in the bytes into at most `maxBytes`. */
export const bzip2Decompress = (bytes: Uint8Array, maxBytes: number): Uint8Array | Bzip2Problem =>
  run(bytes, maxBytes, (library, ...buffers) => library.decompress(...buffers, 0, 0))

interface Library {
  readonly memory: Memory
  readonly malloc: Call
  readonly free: Call
  readonly compress: Call
  readonly decompress: Call
}

let compiled: object | undefined
let kept: Library | undefined

const run = (
  bytes: Uint8Array,
  maxBytes: number,
  convert: (library: Library, to: number, toLength: number, from: number, fromLength: number) => number,
): Uint8Array | Bzip2Problem => {
  const library = kept ?? instantiate()
  kept = undefined
  const from = allocate(library, bytes.byteLength)
  const to = allocate(library, maxBytes)
  const toLength = allocate(library, 4)
  new Uint8Array(library.memory.buffer).set(bytes, from)
  new DataView(library.memory.buffer).setUint32(toLength, maxBytes, true)
  const status = convert(library, to, toLength, from, bytes.byteLength)
  const length = new DataView(library.memory.buffer).getUint32(toLength, true)
  const result = new Uint8Array(library.memory.buffer).slice(to, to + (status === 0 ? length : 0))
  for (const address of [from, to, toLength]) library.free(address)
  if (library.memory.buffer.byteLength <= maxKeptBytes) kept = library
  if (status === 0) return result
  return status === outputFull ? 'too-large' : 'malformed'
}

const allocate = (library: Library, bytes: number): number => {
  const address = library.malloc(Math.max(1, bytes))
  if (address === 0) throw new RangeError(`no memory for ${bytes} bytes`)
  return address
}

const instantiate = (): Library => {
  compiled ??= new WebAssembly.Module(new Uint8Array(readBzip2Wasm()))
  const nothing = (): number => 0
  const { exports } = new WebAssembly.Instance(compiled, {
    env: {
      exit: () => {
        throw new Error('libbz2 has given up')
      },
      emscripten_memcpy_big: (to: number, from: number, length: number) =>
        new Uint8Array(memory.buffer).copyWithin(to, from, from + length),
      emscripten_resize_heap: (bytes: number) => {
        try {
          memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / pageBytes))
          return 1
        } catch {
          return 0
        }
      },
    },
    // Only what prints its complaints uses these.
    wasi_snapshot_preview1: { fd_close: nothing, fd_write: nothing, fd_seek: nothing },
  })
  const memory = exports.memory as Memory
  const call = (name: string): Call => exports[name] as Call
  call('emscripten_stack_init')()
  call('__wasm_call_ctors')()
  return {
    memory,
    malloc: call('malloc'),
    free: call('free'),
    compress: call('BZ2_bzBuffToBuffCompress'),
    decompress: call('BZ2_bzBuffToBuffDecompress'),
  }
}
