// Makes a single executable of a first script and the files that go with it: a blob, injected into a copy of the Node
// runtime of the platform it is for.
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { nodeOptions } from '../src/pool/child-program.ts'
import { root } from './bundle.ts'
import { signAdHoc } from './mach-o.ts'
import { hostPlatform, runtimeVersion, setupRuntime } from './setup.mjs'

/** What to make: for which platform, where, from which files; `folder` is for files of its own. */
export interface ExecutablePlan {
  readonly platform: string
  readonly output: string
  readonly folder: string
  readonly main: string
  readonly assets: Readonly<Record<string, string>>
}

/** Writes the executable; a running one in its place is replaced, not written to. */
export async function makeExecutable(plan: ExecutablePlan): Promise<void> {
  const { platform, output, folder } = plan
  const made = path.join(folder, 'executable')
  fs.copyFileSync(setupRuntime(platform), made)
  fs.chmodSync(made, 0o755)
  strip(made, platform)
  inject(made, makeBlob(plan), platform)
  if (platform.startsWith('darwin')) fs.writeFileSync(made, signAdHoc(fs.readFileSync(made), 'jobq'))
  fs.mkdirSync(path.dirname(output), { recursive: true })
  const beside = `${output}.${process.pid}`
  fs.copyFileSync(made, beside)
  fs.renameSync(beside, output)
}

function makeBlob({ platform, folder, main, assets }: ExecutablePlan): string {
  const blob = path.join(folder, 'blob')
  const config = path.join(folder, 'sea.json')
  const options = {
    main,
    output: blob,
    assets,
    // A code cache is of one architecture.
    useCodeCache: platform === hostPlatform,
    disableExperimentalSEAWarning: true,
    // A user's NODE_OPTIONS are for the user's own Node and could keep this one from starting.
    execArgvExtension: 'none',
    // The experimental parts of Node that jobq uses are its own business. Not --disable-sigusr1: with it the signal is
    // blocked and the listener of `jobq run` never hears it; that listener takes the signal from the debugger as well.
    execArgv: ['--disable-warning=ExperimentalWarning', ...nodeOptions],
  }
  fs.writeFileSync(config, JSON.stringify(options))
  // The layout of a blob belongs to one exact version of Node, so this machine's runtime of that version makes it; V8 takes
  // a code cache only where it was made under the same options.
  const runtime = setupRuntime(hostPlatform, runtimeVersion(platform))
  execFileSync(runtime, [...nodeOptions, '--experimental-sea-config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  return blob
}

// Without its symbols a Linux runtime is a sixth smaller. It has to happen before the blob is there, which stripping would
// drop. Where the machine has no `strip` for that platform, the binary is merely larger.
function strip(executable: string, platform: string): void {
  if (!platform.startsWith('linux')) return
  const own = `${platform === 'linux-x64' ? 'x86_64' : 'aarch64'}-linux-gnu-strip`
  const run = (program: string) => spawnSync(program, [executable], { stdio: 'ignore' }).status === 0
  const done = [own, 'strip', 'llvm-strip'].some(run)
  if (!done) console.error(`no program to strip ${platform} executables was found: the binary keeps its symbols`)
}

function inject(executable: string, blob: string, platform: string): void {
  const postject = path.join(root, 'node_modules/postject/dist/cli.js')
  const parameters = [executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', `NODE_SEA_FUSE_${fuse}`]
  if (platform.startsWith('darwin')) parameters.push('--macho-segment-name', 'NODE_SEA')
  const { status, stdout, stderr } = spawnSync(process.execPath, [postject, ...parameters], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`postject failed\n${stdout}${stderr}`)
}

const fuse = 'fce680ab2cc467b6e072b8b5df1996b2'
