import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { askWorker } from '../../src/control/ask.ts'
import type { ControlCommand } from '../../src/control/command.ts'
import { type ControlReply, linesOf, maxReplyBytes, maxRequestBytes } from '../../src/control/frame.ts'
import { JobqError } from '../../src/errors.ts'
import { ControlServer, type Obey } from '../../src/worker/control-server.ts'

/** A server on a socket of its own, which answers `resume` unless told otherwise; gone after the test. */
const open = async (
  context: TestContext,
  obey: Obey = async () => ({ result: { verb: 'resume' } }),
  idleMs?: number,
): Promise<ControlServer> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jobq-control-'))
  const server = new ControlServer(path.join(folder, 'a socket'), obey, idleMs)
  await server.listen()
  context.after(() => {
    server.close()
    fs.rmSync(folder, { recursive: true })
  })
  return server
}

/** A connection as bare as it gets. */
const connect = async (context: TestContext, server: ControlServer): Promise<net.Socket> => {
  const socket = net.connect({ path: server.path, allowHalfOpen: true })
  context.after(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

const replies = async (socket: net.Socket, count: number): Promise<ControlReply[]> => {
  const found: ControlReply[] = []
  for await (const line of linesOf(socket, maxReplyBytes)) if (found.push(JSON.parse(line)) === count) break
  return found
}

const request = (id: number, command: unknown = { verb: 'resume' }): string =>
  `${JSON.stringify({ version: 1, id, expiresTick: systemClock.now().tick + 60_000, command })}\n`

const resumed = (id: number): object => ({ version: 1, id, ok: true, result: { verb: 'resume' } })

test('a request is answered', async (context) => {
  const server = await open(context)
  assert.deepEqual(await askWorker(server.path, { verb: 'resume' }, 60_000), resumed(1))
})

test('who waits for an answer is not idle, who asks nothing is hung up on', async (context) => {
  const quiet = Promise.withResolvers<void>()
  const obey: Obey = async () => {
    await quiet.promise
    return { result: { verb: 'resume' } }
  }
  const server = await open(context, obey, 100)
  const answer = askWorker(server.path, { verb: 'resume' }, 60_000)
  // By the end of the second the first one would long be over.
  for (let count = 0; count < 2; count++) {
    const silent = await connect(context, server)
    silent.resume()
    await once(silent, 'end')
  }
  quiet.resolve()
  assert.deepEqual(await answer, resumed(1))
})

test('the socket is for its owner alone, whatever the umask', async (context) => {
  const before = process.umask(0)
  context.after(() => process.umask(before))
  const server = await open(context)
  assert.equal(fs.statSync(server.path).mode & 0o777, 0o600)
})

test('several requests of one connection are answered in their order, also when they come in pieces', async (context) => {
  const asked: string[] = []
  const server = await open(context, async (command: ControlCommand) => {
    asked.push(command.verb)
    if (command.verb === 'drain') await new Promise((resolve) => setImmediate(resolve))
    return { result: { verb: 'resume' } }
  })
  const socket = await connect(context, server)
  socket.write(request(1, { verb: 'drain' }) + request(2).slice(0, 10))
  socket.write(request(2).slice(10) + request(3))
  assert.deepEqual(await replies(socket, 3), [resumed(1), resumed(2), resumed(3)])
  assert.deepEqual(asked, ['drain', 'resume', 'resume'])
})

const refused: readonly (readonly [line: string, id: number | null, message: RegExp])[] = [
  ['', null, /one JSON object a line/],
  ['hello', null, /one JSON object a line/],
  ['\u0000\u001b[31m', null, /one JSON object a line/],
  ['null', null, /a JSON object/],
  ['7', null, /a JSON object/],
  ['{"id":1,"command":{"verb":"resume"}}', null, /speaks version 1 .*, not undefined/],
  ['{"version":2,"id":1,"command":{"verb":"resume"}}', null, /speaks version 1 .*, not 2/],
  ['{"version":1,"command":{"verb":"resume"}}', null, /a number as its id/],
  ['{"version":1,"id":4,"command":{"verb":"resume"}}', null, /a number as its expiresTick/],
  ['{"version":1,"id":4,"expiresTick":1e15}', 4, /is not a command/],
  ['{"version":1,"id":4,"expiresTick":1e15,"command":{"verb":"explode"}}', 4, /"explode" is no command/],
  ['{"version":1,"id":4,"expiresTick":1e15,"command":{"verb":"grow","count":-1}}', 4, /count: -1/],
]
for (const [line, id, message] of refused) {
  test(`what is no request is refused, and the next one answered: ${JSON.stringify(line)}`, async (context) => {
    const server = await open(context)
    const socket = await connect(context, server)
    socket.write(`${line}\n${request(5)}`)
    const [refusal, answer] = await replies(socket, 2)
    assert.ok(refusal !== undefined && !refusal.ok)
    assert.deepEqual([refusal.id, refusal.code], [id, 'usage'])
    assert.match(refusal.message, message)
    assert.deepEqual(answer, resumed(5))
  })
}

test('a line that is too long is refused and ends the connection, though its end never comes', async (context) => {
  const server = await open(context)
  const socket = await connect(context, server)
  socket.on('error', () => {})
  socket.write('x'.repeat(maxRequestBytes + 1))
  const [refusal] = await replies(socket, 1)
  assert.ok(refusal !== undefined && !refusal.ok)
  assert.match(refusal.message, /longer than 65536 bytes/)
  assert.deepEqual(await askWorker(server.path, { verb: 'resume' }, 60_000), resumed(1))
})

test('what throws becomes the answer', async (context) => {
  const server = await open(context, async () => {
    throw new JobqError('conflict', 'the worker is stopping')
  })
  const reply = await askWorker(server.path, { verb: 'resume' }, 60_000)
  assert.deepEqual(reply, { version: 1, id: 1, ok: false, code: 'conflict', message: 'the worker is stopping' })
})

test('what was asked too long ago is not done', async (context) => {
  let obeyed = 0
  const server = await open(context, async () => {
    obeyed += 1
    return { result: { verb: 'resume' } }
  })
  const socket = await connect(context, server)
  const expiresTick = systemClock.now().tick - 1
  socket.write(`${JSON.stringify({ version: 1, id: 1, expiresTick, command: { verb: 'resume' } })}\n`)
  const [reply] = await replies(socket, 1)
  assert.ok(reply !== undefined && !reply.ok)
  assert.deepEqual([reply.code, obeyed], ['timeout', 0])
})

test('a client that has said all it has to say still hears the answer, and then the end', async (context) => {
  const server = await open(context)
  const socket = await connect(context, server)
  socket.end(request(1))
  const heard: ControlReply[] = []
  for await (const line of linesOf(socket, maxReplyBytes)) heard.push(JSON.parse(line))
  assert.deepEqual(heard, [resumed(1)])
})

test('silent, unfinished and deaf clients hold up nobody', async (context) => {
  const large = 'x'.repeat(1024 * 1024)
  const server = await open(context, async ({ verb }) =>
    verb === 'reload'
      ? { result: { verb, loaded: true, message: large, problems: [] } }
      : { result: { verb: 'resume' } },
  )
  await connect(context, server)
  const unfinished = await connect(context, server)
  unfinished.write('{"version":1,')
  const deaf = await connect(context, server)
  deaf.pause()
  deaf.write(request(1, { verb: 'reload' }).repeat(8))
  assert.deepEqual(await askWorker(server.path, { verb: 'resume' }, 60_000), resumed(1))
})

test('a client that goes away before its answer harms nobody', async (context) => {
  const asked = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const afterwards = Promise.withResolvers<void>()
  let first = true
  const server = await open(context, async () => {
    if (first) {
      first = false
      asked.resolve()
      await gone.promise
    }
    return { result: { verb: 'resume' }, afterwards: afterwards.resolve }
  })
  const socket = await connect(context, server)
  socket.write(request(1))
  await asked.promise
  socket.destroy()
  await once(socket, 'close')
  gone.resolve()
  await afterwards.promise
  assert.deepEqual(await askWorker(server.path, { verb: 'resume' }, 60_000), resumed(1))
})

test('more connections than it holds are closed at once; when others leave there is room', async (context) => {
  const server = await open(context)
  const sockets = await Promise.all(Array.from({ length: 64 }, () => connect(context, server)))
  await assert.rejects(askWorker(server.path, { verb: 'resume' }, 60_000), { code: 'unavailable' })
  for (const socket of sockets) socket.end()
  await Promise.all(sockets.map((socket) => once(socket.resume(), 'close')))
  assert.deepEqual(await askWorker(server.path, { verb: 'resume' }, 60_000), resumed(1))
})

test('who asks hears of a worker that closes, that is gone, and that never answers', async (context) => {
  const asked = Promise.withResolvers<void>()
  const server = await open(context, () => {
    asked.resolve()
    return new Promise(() => {})
  })
  const late = askWorker(server.path, { verb: 'resume' }, 1)
  await assert.rejects(late, { code: 'timeout', message: 'it has not answered within 1ms' })
  const cut = askWorker(server.path, { verb: 'resume' }, 60_000)
  await asked.promise
  server.close()
  await assert.rejects(cut, { code: 'unavailable' })
  await assert.rejects(askWorker(server.path, { verb: 'resume' }, 60_000), {
    code: 'unavailable',
    message: 'it is gone',
  })
})
