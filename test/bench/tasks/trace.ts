import fs from 'node:fs'

const opened = new Map<string, number>()

/** Leaves a line in a file: the job and when it ran, in epoch milliseconds. */
export default async function trace({ file }: { readonly file: string }, job: { readonly id: number }): Promise<void> {
  const descriptor = opened.get(file) ?? fs.openSync(file, 'a')
  opened.set(file, descriptor)
  fs.writeSync(descriptor, `${job.id} ${Date.now()}\n`)
}
