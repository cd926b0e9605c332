import fs from 'node:fs'

/** A module that registers an SDK which appends each span to a file, as a line of JSON. */
export const sdkModule = (file: string): string => `import fs from 'node:fs'
import { NodeTracerProvider, SimpleSpanProcessor } from '${import.meta.resolve('@opentelemetry/sdk-trace-node')}'
const exporter = {
  export(spans, done) {
    for (const span of spans) {
      const { name, kind, attributes, status, parentSpanContext, links } = span
      const { traceId, spanId } = span.spanContext()
      const parent = parentSpanContext?.spanId ?? null
      const linked = links.map(({ context }) => context.spanId)
      const told = { pid: process.pid, name, kind, attributes, status, traceId, spanId, parent, linked }
      fs.appendFileSync(${JSON.stringify(file)}, JSON.stringify(told) + '\\n')
    }
    done({ code: 0 })
  },
  async shutdown() {},
}
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
`

/** A span as it was written. */
export interface Span {
  readonly pid: number
  readonly name: string
  readonly kind: number
  readonly attributes: Readonly<Record<string, unknown>>
  readonly status: { readonly code: number; readonly message?: string }
  readonly traceId: string
  readonly spanId: string
  readonly parent: string | null
  readonly linked: readonly string[]
}

/** The spans in a file that the module wrote. */
export const readSpans = (file: string): Span[] =>
  fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
