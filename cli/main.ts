/**
 * Where jobq starts, from sources, from the npm package and inside the binary. It loads no more than the
 * command needs: what scripts call often answers without the command line's parser.
 */

main(process.argv.slice(2)).catch((error: unknown) => {
  // Commands report their own failures; this one is jobq's.
  process.exitCode = 1
  console.error(error)
})

async function main(parameters: string[]): Promise<void> {
  const [verb, ...rest] = parameters
  if (verb === '__child') {
    const { child } = await import('./child.ts')
    return child()
  }
  if (verb === 'version' || verb === '--version') {
    const { version } = await import('./lean/version.ts')
    if (version(rest)) return
  }
  const { program } = await import('./program.ts')
  await program(parameters)
}
