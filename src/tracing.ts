/**
 * Traces by OpenTelemetry, where the user has registered an SDK: in the application, or in a module that a task imports. The
 * API finds it in a place that all copies of the API share, so the copy inside of jobq serves any program's. Where nobody
 * has registered one, nothing is done and not even the API is loaded.
 */
import type { Outcome } from './outcome.ts'
import type * as Spans from './spans.ts'
import { member, type TraceContext } from './trace-context.ts'

const registry = Symbol.for('opentelemetry.js.api.1')

let spans: typeof Spans | null = null

const load = async (): Promise<typeof Spans> => {
  spans ??= await import('./spans.ts')
  return spans
}

/** True once an SDK for traces is registered in this process. */
export const isTraced = (): boolean => {
  if (!(registry in globalThis)) return false
  const registered: unknown = Reflect.get(globalThis, registry)
  return member(registered, 'trace') !== undefined
}

/** Makes ready what cannot wait for it later: spans of `tracedEnqueueSync`. */
export const prepareTracing = async (): Promise<void> => {
  if (isTraced()) await load()
}

/** The context of what runs now, as it travels; null outside of any span of ours. */
export const activeTrace = (): TraceContext | null => spans?.activeTrace() ?? null

/** Adds jobs, in a span where there is an SDK; their runs belong to its trace. */
export const tracedEnqueue = async <Item extends object, Added>(
  items: readonly Item[],
  add: (items: readonly Item[]) => Promise<Added>,
): Promise<Added> => (isTraced() ? (await load()).tracedEnqueue(items, add) : add(items))

/** As `tracedEnqueue`, one and at once; without a span where the SDK came after `prepareTracing`. */
export const tracedEnqueueSync = <Item extends object, Added>(item: Item, add: (item: Item) => Added): Added =>
  spans !== null && isTraced() ? spans.tracedEnqueueSync(item, add) : add(item)

/** Runs a job, in a span where there is an SDK; it belongs to the job's trace and is linked to where the job was added. */
export const tracedRun = async (job: Spans.TracedRun, run: () => Promise<Outcome>): Promise<Outcome> =>
  (await load()).tracedRun(job, run)
