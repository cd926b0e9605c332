/** The ad-hoc signature of macOS executables, read back from the bytes as the system reads it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { signAdHoc } from '../../build/mach-o.ts'

const textSize = 0x4000
const linkEditSize = 5003

/** A header, the segments __TEXT (with one section at `section`) and __LINKEDIT, and recognisable content. */
function executable(section = 0x400): Buffer {
  const file = Buffer.alloc(textSize + linkEditSize, 'the content of the pages ')
  file.fill(0, 0, section)
  const commands = [segment('__TEXT', [0, textSize], section), segment('__LINKEDIT', [textSize, linkEditSize])]
  const all = Buffer.concat(commands)
  const header = [0xfeedfacf, 0x0100000c, 0, 2, commands.length, all.length, 0, 0]
  for (const [index, number] of header.entries()) file.writeUInt32LE(number, index * 4)
  all.copy(file, 32)
  return file
}

function segment(name: string, [offset, size]: [number, number], section?: number): Buffer {
  const command = Buffer.alloc(72 + (section === undefined ? 0 : 80))
  command.writeUInt32LE(0x19, 0)
  command.writeUInt32LE(command.length, 4)
  command.write(name, 8)
  command.writeBigUInt64LE(BigInt(offset), 40)
  command.writeBigUInt64LE(BigInt(size), 48)
  if (section !== undefined) {
    command.writeUInt32LE(1, 64)
    command.writeUInt32LE(section, 72 + 48)
  }
  return command
}

test('every page of the signed executable has its hash in the signature', () => {
  const signed = signAdHoc(executable(), 'jobq')
  assert.equal(signed.readUInt32LE(16), 3, 'load commands')
  const command = 32 + signed.readUInt32LE(20) - 16
  assert.deepEqual([signed.readUInt32LE(command), signed.readUInt32LE(command + 4)], [0x1d, 16])
  const offset = signed.readUInt32LE(command + 8)
  const size = signed.readUInt32LE(command + 12)
  assert.equal(offset % 16, 0)
  assert.equal(offset + size, signed.length)

  const signature = signed.subarray(offset)
  assert.deepEqual(
    [0, 4, 8, 12, 16].map((at) => signature.readUInt32BE(at)),
    [0xfade0cc0, size, 1, 0, 20],
  )
  const directory = signature.subarray(20)
  assert.equal(directory.readUInt32BE(0), 0xfade0c02)
  assert.equal(directory.readUInt32BE(4), size - 20)
  assert.equal(directory.readUInt32BE(12), 2, 'ad hoc')
  const identifier = directory.readUInt32BE(20)
  assert.equal(directory.toString('latin1', identifier, identifier + 5), 'jobq\0')
  const hashes = directory.readUInt32BE(16)
  const pages = directory.readUInt32BE(28)
  assert.equal(directory.readUInt32BE(32), offset, 'the hashes reach up to the signature')
  assert.equal(pages, Math.ceil(offset / 4096))
  for (let page = 0; page < pages; page++) {
    const content = signed.subarray(page * 4096, Math.min((page + 1) * 4096, offset))
    const stored = directory.subarray(hashes + page * 32, hashes + (page + 1) * 32)
    assert.deepEqual(stored, createHash('sha256').update(content).digest(), `page ${page}`)
  }
  assert.equal(hashes + pages * 32, size - 20)
})

test('the last segment grows to hold the signature, and what was there stays', () => {
  const before = executable()
  const signed = signAdHoc(before, 'jobq')
  const linkEdit = 32 + 152
  assert.equal(signed.toString('latin1', linkEdit + 8, linkEdit + 18), '__LINKEDIT')
  assert.equal(Number(signed.readBigUInt64LE(linkEdit + 48)), signed.length - textSize)
  assert.equal(Number(signed.readBigUInt64LE(linkEdit + 32)) % 0x4000, 0)
  assert.deepEqual(signed.subarray(0x400, before.length), before.subarray(0x400))
})

test('what cannot be signed is refused', () => {
  assert.throws(() => signAdHoc(Buffer.alloc(64), 'jobq'), /not a 64-bit Mach-O/)
  assert.throws(() => signAdHoc(signAdHoc(executable(), 'jobq'), 'jobq'), /signed already/)
  assert.throws(() => signAdHoc(executable(32 + 72 + 80 + 72), 'jobq'), /no room/)
  assert.throws(() => signAdHoc(Buffer.concat([executable(), Buffer.alloc(8)]), 'jobq'), /goes on behind/)
})
