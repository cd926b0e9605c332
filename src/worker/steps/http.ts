import { isLoopback } from '../../listen-address.ts'
import { type WorkerStep, workerStep } from '../components.ts'
import { Health, type HealthReport } from '../health.ts'
import type { WorkerHooks } from '../hooks.ts'
import type { HttpDocument } from '../http-server.ts'
import type { LogLevel } from '../log-entry.ts'
import type { ResolvedOptions } from '../options.ts'

/** Answers to `/metrics`, `/healthz` and `/readyz`. */
export const httpStep = (options: ResolvedOptions, hooks: WorkerHooks): WorkerStep => {
  const { clock, config, leaseMs, log, logs, name } = options
  const say = (level: LogLevel, message: string): void => {
    if (logs(level)) log({ level, at: clock.now().at, type: 'worker.notice', message })
  }
  const { stopping, components } = hooks
  const health = new Health({ name, wedgedAfterMs: leaseMs, stopping, components })
  return workerStep({
    name: 'http',
    requires: ['metrics'],
    includeIf: () => config.http !== undefined,
    start: async ({ metrics }) => {
      if (config.http === undefined) throw new Error('nothing is to be answered')
      const { HttpServer } = await import('../http-server.ts')
      const { listen, token = null } = config.http
      const server = new HttpServer({
        listen,
        token,
        documents: {
          '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
          '/healthz': async () => answer(await health.report(), ({ status }) => status !== 'wedged'),
          '/readyz': async () => answer(await health.report(), ({ status }) => status === 'working'),
        },
        onError: (error) => say('warn', `http: ${error instanceof Error ? error.message : error}`),
      })
      await server.listen()
      health.start()
      say('info', `metrics and health are at ${server.url}`)
      if (token === null && !isLoopback(listen)) say('warn', `http: whoever reaches ${server.url} can read them`)
      return server
    },
    stop: async (server) => {
      health.stop()
      await server.close()
    },
    info: (server) => ({ url: server.url }),
  })
}

const answer = (report: HealthReport, isOk: (report: HealthReport) => boolean): HttpDocument => {
  const ok = isOk(report)
  return { status: ok ? 200 : 503, type: 'application/json', body: `${JSON.stringify({ ok, ...report })}\n` }
}
