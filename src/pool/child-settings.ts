import { defaultMaxOutputBytes } from '../output/output-writer.ts'
import type { CodecPlan } from './codec-plan.ts'
import type { PoolOptions, RunJob } from './pool.ts'
import type { ChildSettings } from './protocol.ts'

/** Built-in codecs, plain results. */
const plainCodecs: CodecPlan = { configFile: null, accept: null, maxPayloadBytes: 1024 * 1024, defaults: {}, tasks: {} }

/** What a pool's options say to each of its children, with the defaults of what they do not say. */
export const childSettings = <J extends RunJob>(options: PoolOptions<J>): ChildSettings => ({
  tasks: options.tasks,
  outputFolder: options.outputFolder,
  brokerUrl: options.brokerUrl,
  processes: options.processes ?? { defaults: {}, tasks: {} },
  maxOutputBytes: options.maxOutputBytes ?? defaultMaxOutputBytes,
  maxResultBytes: options.maxResultBytes ?? 1024 * 1024,
  killAfterMs: options.killAfterMs ?? 5_000,
  maxBytes: options.childLimits?.maxBytes ?? null,
  reportImports: options.reportImports ?? false,
  shared: options.shared ?? {},
  codecs: options.codecs ?? plainCodecs,
})
