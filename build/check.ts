// `npm run check`: format and lint, types, layers, side by side; prints what each of them found.
import { spawn } from 'node:child_process'
import path from 'node:path'

const root = path.dirname(import.meta.dirname)
const checks: Record<string, string[]> = {
  'format and lint': ['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '.'],
  types: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'],
  layers: ['build/check-layers.ts'],
}

const results = await Promise.all(Object.entries(checks).map(([name, command]) => check(name, command)))
process.exitCode = results.every(Boolean) ? 0 : 1

async function check(name: string, command: string[]): Promise<boolean> {
  const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk) => output.push(chunk))
  child.stderr.on('data', (chunk) => output.push(chunk))
  const passed = await new Promise<boolean>((resolve) => child.on('close', (code) => resolve(code === 0)))
  if (!passed) process.stderr.write(Buffer.concat(output))
  console.log(`${passed ? 'ok  ' : 'FAIL'}  ${name}`)
  return passed
}
