// Signs a macOS executable ad hoc, which Apple's processors ask of every program: no identity, only the hashes of its
// pages, so that the system can tell that it is whole. It is what `codesign --sign -` does on a Mac; here it is done on
// the machine that builds. The layout: Apple's <kern/cs_blobs.h> and <mach-o/loader.h>; the signature is big-endian, the
// executable little-endian.
import { createHash } from 'node:crypto'

const headerSize = 32
const segmentCommand = 0x19
const signatureCommand = 0x1d
const signatureCommandSize = 16
const superBlobMagic = 0xfade0cc0
const codeDirectoryMagic = 0xfade0c02
const codeDirectoryVersion = 0x20400
const codeDirectorySize = 88
const adHoc = 0x2
const mainBinary = 1n
const sha256 = { type: 2, size: 32 }
const pageBits = 12
const vmPage = 0x4000

interface Segment {
  /** Where its load command is in the file. */
  readonly at: number
  readonly name: string
  readonly fileOffset: number
  readonly fileSize: number
  readonly firstSection: number
}

/** The executable (64-bit Mach-O, without a signature) with an ad-hoc signature of that identifier. */
export function signAdHoc(executable: Buffer, identifier: string): Buffer {
  if (executable.readUInt32LE(0) !== 0xfeedfacf) throw new Error('not a 64-bit Mach-O executable')
  const { segments, hasSignature } = readCommands(executable)
  if (hasSignature) throw new Error('the executable is signed already')
  const text = find(segments, '__TEXT')
  const linkEdit = find(segments, '__LINKEDIT')
  const end = linkEdit.fileOffset + linkEdit.fileSize
  if (end !== executable.length) throw new Error('the executable goes on behind its __LINKEDIT segment')

  const codeLimit = Math.ceil(end / 16) * 16
  const pages = Math.ceil(codeLimit / (1 << pageBits))
  const hashOffset = codeDirectorySize + identifier.length + 1
  const directorySize = hashOffset + pages * sha256.size
  const signatureSize = 20 + directorySize
  const signed = Buffer.concat([executable], codeLimit + signatureSize)
  addSignatureCommand(signed, { offset: codeLimit, size: signatureSize, room: text.firstSection })
  const linkEditSize = signed.length - linkEdit.fileOffset
  signed.writeBigUInt64LE(BigInt(Math.ceil(linkEditSize / vmPage) * vmPage), linkEdit.at + 32)
  signed.writeBigUInt64LE(BigInt(linkEditSize), linkEdit.at + 48)

  const signature = signed.subarray(codeLimit)
  writeNumbers(signature, [superBlobMagic, signatureSize, 1, 0, 20])
  const directory = signature.subarray(20)
  const flags = [codeDirectoryMagic, directorySize, codeDirectoryVersion, adHoc, hashOffset, codeDirectorySize]
  writeNumbers(directory, [...flags, 0, pages, codeLimit])
  directory.set([sha256.size, sha256.type, 0, pageBits], 36)
  directory.writeBigUInt64BE(BigInt(text.fileOffset), 64)
  directory.writeBigUInt64BE(BigInt(text.fileSize), 72)
  directory.writeBigUInt64BE(mainBinary, 80)
  directory.write(identifier, codeDirectorySize, 'latin1')
  for (let page = 0; page < pages; page++) {
    const from = page << pageBits
    const content = signed.subarray(from, Math.min(from + (1 << pageBits), codeLimit))
    directory.set(createHash('sha256').update(content).digest(), hashOffset + page * sha256.size)
  }
  return signed
}

function readCommands(file: Buffer): { segments: Segment[]; hasSignature: boolean } {
  const segments: Segment[] = []
  let hasSignature = false
  let at = headerSize
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    const command = file.readUInt32LE(at)
    if (command === segmentCommand) segments.push(readSegment(file, at))
    if (command === signatureCommand) hasSignature = true
    at += file.readUInt32LE(at + 4)
  }
  return { segments, hasSignature }
}

function readSegment(file: Buffer, at: number): Segment {
  const sections = file.readUInt32LE(at + 64)
  return {
    at,
    name: file.toString('latin1', at + 8, at + 24).replace(/\0.*$/s, ''),
    fileOffset: Number(file.readBigUInt64LE(at + 40)),
    fileSize: Number(file.readBigUInt64LE(at + 48)),
    firstSection: sections === 0 ? 0 : file.readUInt32LE(at + 72 + 48),
  }
}

function find(segments: readonly Segment[], name: string): Segment {
  const segment = segments.find((one) => one.name === name)
  if (segment === undefined) throw new Error(`the executable has no segment ${name}`)
  return segment
}

function addSignatureCommand(file: Buffer, signature: { offset: number; size: number; room: number }): void {
  const at = headerSize + file.readUInt32LE(20)
  if (at + signatureCommandSize > signature.room) throw new Error('there is no room for one more load command')
  file.writeUInt32LE(file.readUInt32LE(16) + 1, 16)
  file.writeUInt32LE(file.readUInt32LE(20) + signatureCommandSize, 20)
  const command = [signatureCommand, signatureCommandSize, signature.offset, signature.size]
  command.forEach((number, index) => {
    file.writeUInt32LE(number, at + index * 4)
  })
}

function writeNumbers(buffer: Buffer, numbers: readonly number[]): void {
  numbers.forEach((number, index) => {
    buffer.writeUInt32BE(number, index * 4)
  })
}
