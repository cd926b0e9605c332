// A step that answers `GET /health`: 200 while this worker can run jobs, 503 before and while it stops.
//
//   jobq run --health-port 8080
//   curl -i http://127.0.0.1:8080/health
import { once } from 'node:events'
import http from 'node:http'
import { defineStep } from 'jobq'

const port = (text: string): number => {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value
  throw new RangeError(`${text} is not a port`)
}

export const health = defineStep({
  name: 'health',
  requires: ['pool', 'execution', 'presence'],
  options: {
    port: { flags: '--health-port <n>', description: 'answer GET /health on this port of 127.0.0.1', parse: port },
  },
  includeIf: ({ port }) => port !== undefined,

  async start({ pool, execution, presence }, { port }) {
    const state = { draining: false }
    const server = http.createServer((request, response) => {
      if (request.url !== '/health') {
        response.writeHead(404).end()
        return
      }
      const children = pool.status()
      const able = children.filter((child) => child.state === 'idle' || child.state === 'busy').length
      const ok = able > 0 && !state.draining
      const body = { ok, worker: presence.name, size: pool.size, busy: pool.busy, processed: execution.processed }
      response.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
    })
    server.listen(port, '127.0.0.1')
    // A port that is taken rejects here: the worker says so, undoes what it had started, and ends.
    await once(server, 'listening')
    return { server, state }
  },

  drain({ state }) {
    state.draining = true
  },

  async stop({ server }) {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  },

  info: ({ server }) => server.address(),
})
