import { JobqError } from './errors.ts'
import { quote } from './quote.ts'

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
}

const loopback = '127.0.0.1'

/**
 * An address to listen on: `[HOST:]PORT`, an IPv6 address in brackets; without a host the machine's own loopback.
 * @throws JobqError `usage` for anything else
 */
export const parseListenAddress = (value: string | number): ListenAddress => {
  const [, bracketed, plain, digits = ''] =
    /^(?:(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9._-]{1,253})):)?(\d{1,5})$/.exec(String(value)) ?? []
  const port = Number(digits)
  if (digits === '' || port > 65_535) {
    throw new JobqError('usage', `${quote(value)} is not [HOST:]PORT, such as 9464, 0.0.0.0:9464 or [::1]:9464`)
  }
  return { host: bracketed ?? plain ?? loopback, port }
}

/** An address as the text that `parseListenAddress` reads. */
export const formatListenAddress = ({ host, port }: ListenAddress): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

/** True for an address that only this machine reaches. */
export const isLoopback = ({ host }: ListenAddress): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)

/**
 * A bearer token, as it is; it is a secret, so no message shows it.
 * @throws JobqError `usage` for what no client could send
 */
export const checkToken = (value: unknown): string => {
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value
  throw new JobqError('usage', 'a token is visible ASCII characters without blanks')
}
