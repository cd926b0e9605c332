import os from 'node:os'
import path from 'node:path'
import type { Clock } from './clock.ts'
import type { CheckedConfig } from './config.ts'
import { Messages } from './envelope/messages.ts'

const mebibyte = 1024 ** 2

/** What of a configuration says how payloads and results are written and read. */
export type MessageConfig = Pick<
  CheckedConfig,
  'serializers' | 'compressors' | 'accept' | 'require' | 'queues' | 'keys' | 'encrypt' | 'maxPayload' | 'maxResult'
>

/**
 * How payloads and results are written and read by a configuration. Keys are in `~/.config/jobq/keys` where it does not say.
 * @throws JobqError `usage` for codecs that are none; `permission`, `not-found` for the key file of `encrypt`
 */
export const messagesBy = (config: MessageConfig, clock: Clock): Messages => {
  const { serializers, compressors, accept, keys, encrypt, maxPayload, maxResult } = config
  const queues = Object.entries(config.queues ?? {}).flatMap(([name, { require }]) =>
    require === 'signed' ? [name] : [],
  )
  return new Messages({
    ...(serializers === undefined ? {} : { serializers }),
    ...(compressors === undefined ? {} : { compressors }),
    ...(accept === undefined ? {} : { accept }),
    ...(encrypt === undefined ? {} : { keyFile: encrypt.keyFile }),
    keys: { folder: path.join(os.homedir(), '.config', 'jobq', 'keys'), ...keys },
    requireSigned: config.require === 'signed' ? true : queues,
    maxPayloadBytes: maxPayload ?? mebibyte,
    maxResultBytes: maxResult ?? mebibyte,
    clock,
  })
}
