/**
 * The worker's HTTP server: a few documents to read and nothing to change. It shares its thread with the dispatcher, so it
 * keeps every client within bounds: few connections, small requests, and only so long for each.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { JobqError } from '../errors.ts'
import { formatListenAddress, type ListenAddress } from '../listen-address.ts'

/** Open at one time; more are refused. */
const maxConnections = 64
const maxHeaderBytes = 8 * 1024
/** For a request to be complete, and for a connection on which nothing moves, in milliseconds. */
const requestMs = 5_000
const idleMs = 10_000

/** What is answered to a request; `HEAD` gets the same without the body. */
export interface HttpDocument {
  readonly status: 200 | 503
  readonly type: string
  readonly body: string
}

/** What a server is made with. */
export interface HttpServerOptions {
  readonly listen: ListenAddress
  /** What a client must bring as bearer token; null for nothing. */
  readonly token: string | null
  /** By path. */
  readonly documents: Readonly<Record<string, () => Promise<HttpDocument>>>
  /** Told what keeps a document from being answered. */
  readonly onError: (error: unknown) => void
}

/** Serves documents until it is closed. */
export class HttpServer {
  readonly #options: HttpServerOptions
  readonly #server: http.Server

  constructor(options: HttpServerOptions) {
    this.#options = options
    const limits = {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: requestMs,
    }
    this.#server = http.createServer(limits, (request, response) => void this.#answer(request, response))
    this.#server.maxConnections = maxConnections
    this.#server.setTimeout(idleMs, (socket) => socket.destroy())
  }

  /**
   * Begins to listen.
   * @throws JobqError naming the address: `unavailable` when it is taken, `usage` when it cannot be listened on
   */
  async listen(): Promise<void> {
    const { listen } = this.#options
    this.#server.listen(listen.port, listen.host)
    try {
      await once(this.#server, 'listening')
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      const message = `http: cannot listen on ${formatListenAddress(listen)}: ${whyNot(error)}`
      throw new JobqError(taken ? 'unavailable' : 'usage', message, { cause: error })
    }
    this.#server.on('error', this.#options.onError)
  }

  /** Where it listens, as a URL. */
  get url(): string {
    const address = this.#server.address()
    const port = typeof address === 'object' && address !== null ? address.port : this.#options.listen.port
    return `http://${formatListenAddress({ host: this.#options.listen.host, port })}`
  }

  /** Ends every connection and listens no more. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { documents, token, onError } = this.#options
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    const document = Object.hasOwn(documents, path) ? documents[path] : undefined
    if (token !== null && !isBearer(request.headers.authorization, token)) {
      return plain(response, 401, 'a bearer token is needed', { 'www-authenticate': 'Bearer' })
    }
    if (document === undefined) return plain(response, 404, `there is only ${Object.keys(documents).join(', ')}`)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return plain(response, 405, 'only GET and HEAD', { allow: 'GET, HEAD' })
    }
    try {
      const { status, type, body } = await document()
      send(response, { status, type, body })
    } catch (error) {
      onError(error)
      plain(response, 500, 'it could not be read')
    }
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: http.OutgoingHttpHeaders
}

const send = (response: http.ServerResponse, { status, type, body, headers }: Answer): void => {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(body)
}

const plain = (
  response: http.ServerResponse,
  status: number,
  text: string,
  headers: http.OutgoingHttpHeaders = {},
): void => {
  const body = `${text}\n`
  // A client that is refused may have more to say than anybody should listen to.
  send(response, { status, type: 'text/plain; charset=utf-8', body, headers: { ...headers, connection: 'close' } })
}

/** Compared by their hashes, so that neither time nor length tells how much of a token is right. */
const isBearer = (authorization: string | undefined, token: string): boolean => {
  const [, given = ''] = /^bearer +(\S+) *$/i.exec(authorization ?? '') ?? []
  return timingSafeEqual(digest(given), digest(token))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const whyNot = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is taken',
    EACCES: 'that is not allowed (EACCES)',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'there is no such host',
  }
  return ('code' in error ? reasons[String(error.code)] : undefined) ?? error.message
}
