/** What a configuration says of where a worker's figures are to be had. */
import { at, duration, object, type Reader, text, textOrNumber } from '../config-readers.ts'
import { JobqError } from '../errors.ts'
import { checkToken, type ListenAddress, parseListenAddress } from '../listen-address.ts'
import { checkMetricsFile } from '../metrics-file.ts'

/** The keys of a configuration that concern a worker's figures and health. */
export interface MonitoringSettings {
  /** Where a worker answers to `/metrics`, `/healthz` and `/readyz`: `[HOST:]PORT`, without a host on loopback. With a `token` only those are answered who bring it, as bearer token. */
  readonly http?: { readonly listen: string | number; readonly token?: string }
  /** A file that the textfile collector of node_exporter reads; written again every so often, default 15 s. */
  readonly metrics?: { readonly textfile: string; readonly every?: string | number }
}

const listenAddress: Reader<ListenAddress> = (value, place) =>
  at(place, () => parseListenAddress(textOrNumber(value, place)))
const bearerToken: Reader<string> = (value, place) => at(place, () => checkToken(value))
const metricsFile: Reader<string> = (value, place) => at(place, () => checkMetricsFile(text(value, place)))
const period: Reader<number> = (value, place) => {
  const everyMs = duration(value, place)
  if (everyMs >= 100) return everyMs
  throw new JobqError('usage', `${place}: it is below 100ms`)
}

const httpKeys = object({ listen: listenAddress, token: bearerToken })
const metricsKeys = object({ textfile: metricsFile, every: period })

const missing = (place: string): JobqError => new JobqError('usage', `${place}: it is missing`)

/** The readers of `MonitoringSettings`. */
export const monitoringReaders = {
  http: ((value, place) => {
    const { listen, ...rest } = httpKeys(value, place)
    if (listen === undefined) throw missing(`${place}.listen`)
    return { listen, ...rest }
  }) satisfies Reader<unknown>,
  metrics: ((value, place) => {
    const { textfile, ...rest } = metricsKeys(value, place)
    if (textfile === undefined) throw missing(`${place}.textfile`)
    return { textfile, ...rest }
  }) satisfies Reader<unknown>,
}
