/**
 * Spans of OpenTelemetry: one where jobs are added and one for each run, of the same trace and linked. Only its API is used;
 * the SDK is the user's. The names of attributes are those of its conventions for messaging.
 */
import {
  type Attributes,
  context,
  createTraceState,
  type Exception,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { JobqError } from './errors.ts'
import { commandTask } from './job.ts'
import type { Outcome } from './outcome.ts'
import { inTrace, member, type TraceContext, traceContext } from './trace-context.ts'

const tracer = () => trace.getTracer('jobq')

/** The context of what runs now, as it travels; null outside of any span. */
export const activeTrace = (): TraceContext | null => {
  const span = trace.getActiveSpan()
  return span === undefined ? null : contextOf(span)
}

/** Adds jobs inside of a span, which their runs will belong to. */
export const tracedEnqueue = async <Item extends object, Added>(
  items: readonly Item[],
  add: (items: readonly Item[]) => Promise<Added>,
): Promise<Added> => {
  const span = startEnqueue(items)
  try {
    return noteId(span, await add(items.map((item) => inTrace(item, contextOf(span)))))
  } catch (error) {
    throw fail(span, error)
  } finally {
    span.end()
  }
}

/** As `tracedEnqueue`, one and at once. */
export const tracedEnqueueSync = <Item extends object, Added>(item: Item, add: (item: Item) => Added): Added => {
  const span = startEnqueue([item])
  try {
    return noteId(span, add(inTrace(item, contextOf(span))))
  } catch (error) {
    throw fail(span, error)
  } finally {
    span.end()
  }
}

/** A run of a job. */
export interface TracedRun {
  readonly id: number
  readonly task: string
  readonly queue: string
  readonly attempt: number
  readonly trace: TraceContext | null
}

/** Runs a job inside of a span that belongs to the job's trace and is linked to where it was added. */
export const tracedRun = async (job: TracedRun, run: () => Promise<Outcome>): Promise<Outcome> => {
  const origin = job.trace === null ? null : remote(job.trace)
  const parent = origin === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, origin)
  const attributes = {
    ...common('process', 'process'),
    'messaging.destination.name': job.queue,
    'messaging.message.id': String(job.id),
    'jobq.task': job.task,
    'jobq.attempt': job.attempt,
  }
  const links = origin === null ? [] : [{ context: origin }]
  const span = tracer().startSpan(`process ${job.task}`, { kind: SpanKind.CONSUMER, attributes, links }, parent)
  try {
    const outcome = await context.with(trace.setSpan(parent, span), run)
    span.setAttribute('jobq.outcome', outcome.type)
    if (outcome.type === 'failed' || outcome.type === 'rejected') {
      const { type, message, stack } = outcome.error
      fail(span, { name: type, message, ...(stack === undefined ? {} : { stack }) })
    }
    return outcome
  } finally {
    span.end()
  }
}

const startEnqueue = (items: readonly object[]): Span => {
  const task = sameOf(items.map((item) => member(item, 'task') ?? commandTask))
  const queue = sameOf(items.map((item) => member(item, 'queue')))
  const attributes = {
    ...common('enqueue', 'send'),
    ...(queue === null ? {} : { 'messaging.destination.name': queue }),
    ...(task === null ? {} : { 'jobq.task': task }),
    ...(items.length === 1 ? {} : { 'messaging.batch.message_count': items.length }),
  }
  return tracer().startSpan(task === null ? 'enqueue' : `enqueue ${task}`, { kind: SpanKind.PRODUCER, attributes })
}

const common = (name: string, type: string): Attributes => ({
  'messaging.system': 'jobq',
  'messaging.operation.name': name,
  'messaging.operation.type': type,
})

/** The text that all of these are; null where they are not all the same one. */
const sameOf = ([first, ...others]: readonly unknown[]): string | null =>
  typeof first === 'string' && others.every((other) => other === first) ? first : null

/** Gives back what was added. */
const noteId = <Added>(span: Span, added: Added): Added => {
  const [only, ...others]: readonly unknown[] = Array.isArray(added) ? added : [added]
  const id = member(only, 'id') ?? only
  if (typeof id === 'number' && others.length === 0) span.setAttribute('messaging.message.id', String(id))
  return added
}

/** Gives back what was thrown. */
const fail = (span: Span, thrown: unknown): unknown => {
  const error: Exception = thrown instanceof Error || isException(thrown) ? thrown : String(thrown)
  const { name, message } = typeof error === 'string' ? { name: 'Error', message: error } : error
  span.recordException(error)
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) })
  span.setAttribute('error.type', thrown instanceof JobqError ? thrown.code : (name ?? 'Error'))
  return thrown
}

const isException = (thrown: unknown): thrown is { readonly name: string; readonly message: string } =>
  typeof thrown === 'object' && thrown !== null && 'name' in thrown && 'message' in thrown

/** Null for a span of an SDK that records nothing and gives no valid context. */
const contextOf = (span: Span): TraceContext | null => {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext()
  const flags = (traceFlags & 0xff).toString(16).padStart(2, '0')
  return traceContext(`00-${traceId}-${spanId}-${flags}`, traceState?.serialize())
}

const remote = ({ traceparent, tracestate }: TraceContext) => {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-')
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }),
  }
}
