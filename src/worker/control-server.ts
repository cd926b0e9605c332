/**
 * The worker's ear: a socket that takes commands and answers them, one after the other on each connection. It trusts
 * nobody who connects: a frame that is no command gets an error for an answer, one that is too long ends the connection,
 * and so does a client that neither speaks nor listens. A connection costs the jobs nothing.
 */
import fs from 'node:fs'
import net from 'node:net'
import { systemClock } from '../clock.ts'
import { type ControlCommand, checkCommand } from '../control/command.ts'
import {
  type ControlReply,
  type ControlRequest,
  controlVersion,
  encodeFrame,
  linesOf,
  maxRequestBytes,
} from '../control/frame.ts'
import type { ControlResult } from '../control/result.ts'
import { JobqError } from '../errors.ts'
import { quote } from '../quote.ts'

/** A connection on which nothing has moved for so long is closed, in milliseconds, unless it waits for an answer. */
const usualIdleMs = 60_000
/** Connections at a time; further ones are closed at once. */
const maxConnections = 64

/** What a command came to; `afterwards` is done once the answer is on its way. */
export interface Obeyed {
  readonly result: ControlResult
  readonly afterwards?: () => void
}

/** Carries out a command; what it throws becomes the answer. */
export type Obey = (command: ControlCommand) => Promise<Obeyed>

/** Listens on a socket. */
export class ControlServer {
  readonly path: string
  readonly #obey: Obey
  readonly #idleMs: number
  readonly #server: net.Server
  readonly #connections = new Set<net.Socket>()

  constructor(path: string, obey: Obey, idleMs = usualIdleMs) {
    this.path = path
    this.#obey = obey
    this.#idleMs = idleMs
    this.#server = net.createServer({ allowHalfOpen: true }, (socket) => void this.#serve(socket))
    this.#server.maxConnections = maxConnections
  }

  /** Opens the socket, for its owner alone. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ path: this.path }, resolve)
    })
    fs.chmodSync(this.path, 0o600)
  }

  /** Hangs up on everybody and takes the socket away. */
  close(): void {
    this.#server.close()
    for (const socket of this.#connections) socket.destroy()
  }

  async #serve(socket: net.Socket): Promise<void> {
    this.#connections.add(socket)
    socket.on('close', () => this.#connections.delete(socket))
    // Its end also ends the loop below.
    socket.on('error', () => {})
    socket.on('timeout', () => socket.destroy())
    socket.setTimeout(this.#idleMs)
    try {
      for await (const line of linesOf(socket, maxRequestBytes)) await this.#answer(socket, line)
      socket.end()
    } catch (error) {
      if (error instanceof RangeError) await send(socket, refusal(null, new JobqError('usage', error.message)))
      socket.destroy()
    }
  }

  async #answer(socket: net.Socket, line: string): Promise<void> {
    let id: number | null = null
    try {
      const request = readRequest(line)
      id = request.id
      // A worker that stood still must not do what was given up long ago.
      if (systemClock.now().tick > request.expiresTick) throw new JobqError('timeout', 'it was asked too long ago')
      socket.setTimeout(0)
      const { result, afterwards } = await this.#obey(checkCommand(request.command))
      socket.setTimeout(this.#idleMs)
      await send(socket, { version: controlVersion, id, ok: true, result })
      afterwards?.()
    } catch (error) {
      socket.setTimeout(this.#idleMs)
      await send(socket, refusal(id, error))
    }
  }
}

const readRequest = (line: string): Omit<ControlRequest, 'command'> & { readonly command: unknown } => {
  const request = parse(line)
  if (typeof request !== 'object' || request === null) throw new JobqError('usage', 'a request is a JSON object')
  const { version, id, expiresTick, command }: { readonly [name in keyof ControlRequest]?: unknown } = request
  if (version !== controlVersion) {
    throw new JobqError(
      'usage',
      `this worker speaks version ${controlVersion} of the control protocol, not ${quote(version)}`,
    )
  }
  if (typeof id !== 'number') throw new JobqError('usage', 'a request has a number as its id')
  if (typeof expiresTick !== 'number') throw new JobqError('usage', 'a request has a number as its expiresTick')
  return { version, id, expiresTick, command }
}

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    throw new JobqError('usage', 'a request is one JSON object a line')
  }
}

const refusal = (id: number | null, error: unknown): ControlReply => {
  const code = error instanceof JobqError ? error.code : 'conflict'
  const message = error instanceof Error ? error.message : String(error)
  return { version: controlVersion, id, ok: false, code, message }
}

/** Resolves when the reply is out, or the one who asked is gone. */
const send = (socket: net.Socket, reply: ControlReply): Promise<void> =>
  new Promise((resolve) => {
    socket.write(encodeFrame(reply), () => resolve())
  })
