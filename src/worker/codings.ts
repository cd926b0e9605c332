import type { CheckedConfig, CheckedTaskSettings } from '../config.ts'
import type { Codecs } from '../envelope/codecs.ts'
import { JobqError } from '../errors.ts'
import { defaultMaxPayloadBytes } from '../new-job.ts'
import type { CodecPlan } from '../pool/codec-plan.ts'
import type { Coding } from '../sealing.ts'

/**
 * What children need to read payloads and write results by a configuration; `configFile` is where that is.
 * @throws JobqError `usage` for codecs of one's own without a file
 */
export const codecPlan = (config: CheckedConfig, configFile: string | null): CodecPlan => {
  const own = config.serializers !== undefined || config.compressors !== undefined
  if (own && configFile === null) {
    throw new JobqError(
      'usage',
      'serializers and compressors of your own are loaded by children from a file: name it as configFile',
    )
  }
  return {
    configFile: own ? configFile : null,
    accept: config.accept ?? null,
    maxPayloadBytes: config.maxPayload ?? defaultMaxPayloadBytes,
    defaults: codingOf(config.defaults ?? {}),
    tasks: Object.fromEntries(ofTasks(config)),
  }
}

/** @throws JobqError `usage` naming the place in a configuration that names a codec that there is not */
export const checkCodings = (config: CheckedConfig, codecs: Codecs): void => {
  const places = ofTasks(config).map(([name, coding]) => [`taskOptions.${name}`, coding] as const)
  for (const [place, coding] of [['defaults', codingOf(config.defaults ?? {})] as const, ...places]) {
    try {
      codecs.check(coding)
    } catch (error) {
      if (!(error instanceof JobqError)) throw error
      throw new JobqError(error.code, `${place}: ${error.message}`, { cause: error })
    }
  }
}

const ofTasks = ({ taskOptions = {} }: CheckedConfig): (readonly [task: string, coding: Coding])[] =>
  Object.entries(taskOptions).map(([name, options]) => [name, codingOf(options)])

const codingOf = ({ serializer, compress }: CheckedTaskSettings): Coding => ({
  ...(serializer === undefined ? {} : { serializer }),
  ...(compress === undefined ? {} : { compress }),
})
