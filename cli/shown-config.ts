import { formatBackoff } from '../src/backoff.ts'
import type { CheckedConfig } from '../src/config.ts'
import { formatDuration } from '../src/duration.ts'
import type { CheckedCamera } from '../src/worker/camera-settings.ts'
import type { CheckedConsumer } from '../src/worker/consumer-settings.ts'
import { isStep } from '../src/worker/define-step.ts'

/** Values of a configuration file as `jobq config` prints them, by key: what may be secret is not among them. */
export const shownConfig = (values: CheckedConfig): Readonly<Record<string, unknown>> => {
  const { consumers, cameras, steps, serializers, compressors, ...others } = values
  return {
    ...Object.fromEntries(
      Object.entries(others).map(([key, value]) => [key, typeof value === 'function' ? 'a function' : value]),
    ),
    ...(steps === undefined ? {} : { steps: steps.map((step) => (isStep(step) ? step.name : step)) }),
    // What else a codec holds is its own affair, and may be a secret.
    ...(serializers === undefined ? {} : { serializers: contentTypes(serializers) }),
    ...(compressors === undefined ? {} : { compressors: contentTypes(compressors) }),
    ...(consumers === undefined ? {} : { consumers: consumers.map(shownConsumer) }),
    ...(cameras === undefined ? {} : { cameras: cameras.map(shownCamera) }),
  }
}

const contentTypes = (codecs: Readonly<Record<string, { readonly contentType?: string }>>): object =>
  Object.fromEntries(Object.entries(codecs).map(([name, codec]) => [name, codec.contentType]))

const shownConsumer = ({ name, types, timeoutMs, retries, backoff, target }: CheckedConsumer): object => ({
  name,
  events: types === null ? 'all' : [...types],
  timeout: formatDuration(timeoutMs),
  retries: retries ?? 'for ever',
  backoff: formatBackoff(backoff),
  ...('webhook' in target ? { webhook: shownWebhook(target.webhook) } : shownTarget(target)),
})

/** Of many services the whole path of the URL is the key to it, as headers are. */
const shownWebhook = ({
  url,
  secret,
  headers,
}: Extract<CheckedConsumer['target'], { webhook: unknown }>['webhook']) => ({
  server: new URL(url).origin,
  secret: secret === null ? 'none' : 'set',
  headers: Object.keys(headers),
})

const shownCamera = ({ everyMs, timeoutMs, target }: CheckedCamera): object => ({
  every: formatDuration(everyMs),
  timeout: formatDuration(timeoutMs),
  ...shownTarget(target),
})

const shownTarget = (target: object): object =>
  Object.fromEntries(
    Object.entries(target).map(([key, value]) => [key, typeof value === 'function' ? 'a function' : value]),
  )
