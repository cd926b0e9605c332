import { createHmac } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import { eventJson } from '../../event-json.ts'
import type { CheckedWebhook, ConsumedEvent } from '../consumer-settings.ts'
import { DeliveryRefused, type Sink } from './sink.ts'

/** No server is left alone for longer than this, whatever it asks for, in milliseconds. */
const longestRetryAfterMs = 3_600_000

/**
 * Posts each event to a server, as JSON. `X-Jobq-Delivery` is the same for every try of one event, so that a receiver knows it
 * again; `X-Jobq-Signature` is the HMAC of the body. An answer in the 200s means that the event has arrived; redirects are
 * not followed.
 */
export class WebhookSink implements Sink {
  readonly most = 1
  readonly #consumer: string
  readonly #webhook: CheckedWebhook
  readonly #clock: Clock

  constructor(consumer: string, webhook: CheckedWebhook, clock: Clock) {
    this.#consumer = consumer
    this.#clock = clock
    this.#webhook = webhook
  }

  async deliver(events: readonly ConsumedEvent[], signal: AbortSignal): Promise<void> {
    for (const event of events) await this.#post(event, signal)
  }

  async #post(event: ConsumedEvent, signal: AbortSignal): Promise<void> {
    const { url, secret, headers } = this.#webhook
    const now = this.#clock.now().at
    const body = JSON.stringify(eventJson(event))
    const request = {
      method: 'POST',
      body,
      signal,
      redirect: 'manual',
      headers: {
        'user-agent': 'jobq',
        ...headers,
        'content-type': 'application/json',
        'x-jobq-event': event.type,
        'x-jobq-delivery': encodeURIComponent(`${this.#consumer}:${'id' in event ? event.id : event.to}`),
        'x-jobq-timestamp': String(Math.floor(now / 1_000)),
        ...(secret === null ? {} : { 'x-jobq-signature': signatureOf(body, secret) }),
      },
    } as const
    const response = await fetch(url, request).catch((error: unknown) => {
      throw new Error(`the server cannot be reached: ${causeOf(error)}`, { cause: error })
    })
    await response.body?.cancel()
    if (response.ok) return
    throw new DeliveryRefused(`the server answered ${response.status}`, retryAfterMs(response.headers, now))
  }
}

/** The value of `X-Jobq-Signature`: `sha256=` and the HMAC of the body in hex. */
export const signatureOf = (body: string, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`

const retryAfterMs = (headers: Headers, now: number): number => {
  const given = headers.get('retry-after')
  if (given === null) return 0
  const ms = /^\d+$/.test(given) ? Number(given) * 1_000 : Date.parse(given) - now
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), longestRetryAfterMs)
}

/** What the network said; the URL, which may be secret, is not part of it. */
const causeOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return cause instanceof Error ? cause.message : String(cause)
}
