/** The context of a trace as it travels with a job, in the words of the W3C (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  readonly traceparent: string
  readonly tracestate?: string
}

// Zeros alone stand for no trace and no span, and version ff for none.
const wellFormed = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/
/** Longer ones, which receivers may cut, are left out. */
const maxTracestate = 512

/** The context that a job's `meta` tells; null where it tells none, or something that is none. */
export const traceContext = (traceparent: unknown, tracestate: unknown): TraceContext | null => {
  if (typeof traceparent !== 'string' || traceparent.length > 128 || !wellFormed.test(traceparent)) return null
  const usable = typeof tracestate === 'string' && /^[\x20-\x7e]+$/.test(tracestate)
  return usable && tracestate.length <= maxTracestate ? { traceparent, tracestate } : { traceparent }
}

/** A job to add, or its options, with a trace to belong to where it has none of its own. */
export const inTrace = <Item extends object>(item: Item, own: TraceContext | null): Item => {
  const meta = member(item, 'meta')
  if (own === null || member(meta ?? {}, 'traceparent') !== undefined) return item
  // What is no such thing is left for those to refuse who check it.
  return meta === undefined || (typeof meta === 'object' && meta !== null)
    ? { ...item, meta: { ...own, ...meta } }
    : item
}

/** A member of what may be no object. */
export const member = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
