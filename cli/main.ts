/**
 * Where jobq starts, from sources, from the npm package and inside the binary. It loads no more than the
 * command needs: what scripts call often answers without the command line's parser.
 */

main(process.argv.slice(2)).catch((error: unknown) => {
  // Commands report their own failures; this one is jobq's.
  console.error(error)
  process.exit(1)
})

async function main(parameters: string[]): Promise<void> {
  const [verb, ...rest] = parameters
  if (verb === 'version' || verb === '--version') {
    const { version } = await import('./lean/version.ts')
    if (await version(rest)) return
  }
  // Global options may stand before the command.
  if (parameters.slice(0, 4).some((word) => word === 'enqueue' || word === 'add')) {
    const { enqueue } = await import('./lean/enqueue.ts')
    if (await enqueue(parameters)) process.exit(0)
  }
  const { useEmbedded } = await import('./binary/embedded.ts')
  useEmbedded()
  // The hidden subcommand with which the binary starts the children of its pool.
  if (verb === '__child') {
    await import('../src/pool/child-main.ts')
    return
  }
  const { program } = await import('./program.ts')
  await program(parameters)
}
