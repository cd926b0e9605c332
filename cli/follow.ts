import { StringDecoder } from 'node:string_decoder'
import type { Broker } from '../src/broker/broker.ts'
import type { Job } from '../src/job.ts'
import { followOutput } from '../src/output/output-reader.ts'
import { outputFolder } from './broker-file.ts'
import { visibleLines } from './visible.ts'
import { waitForJobs } from './wait.ts'
import { writeAll } from './write.ts'

/**
 * Passes on what a job writes, each stream to its own, until it has finished; resolves to the job. Escapes are made
 * visible unless `raw`.
 */
export const followJob = async (
  broker: Broker,
  id: number,
  { raw }: { readonly raw: boolean },
): Promise<Job | null> => {
  const end = new AbortController()
  const finished = waitForJobs(broker, [id], { timeoutMs: null, any: false }).finally(() => end.abort())
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
  for await (const { stream, data } of followOutput(outputFolder(broker.url), id, {
    signal: end.signal,
    intervalMs: 50,
  })) {
    writeAll(stream === 'stdout' ? 1 : 2, raw ? data : visibleLines(decoders[stream].write(data)))
  }
  const [job] = await finished
  return job ?? null
}
