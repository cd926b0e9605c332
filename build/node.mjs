// Runs the pinned Node runtime with the given arguments, after installing what is missing: `node build/node.mjs FILE…`.
// `--path` alone prints where the runtime is.
import { spawn } from 'node:child_process'
import { setup } from './setup.mjs'

const runtime = setUp()
const parameters = process.argv.slice(2)
if (parameters.length === 1 && parameters[0] === '--path') console.log(runtime)
else run()

function run() {
  const child = spawn(runtime, parameters, { stdio: 'inherit' })
  // A terminal sends INT and QUIT to the child itself; passing them on would make two of them.
  const fromTerminal = process.stdin.isTTY ? ['SIGINT', 'SIGQUIT'] : []
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (!fromTerminal.includes(signal)) child.kill(signal)
    })
  }
  child.on('error', (error) => {
    console.error(error.message)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

function setUp() {
  try {
    return setup()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
