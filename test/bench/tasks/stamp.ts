/** Says how long ago, by the machine's monotonic clock, its job was enqueued, in milliseconds. */
export default async function stamp({ calledAt }: { readonly calledAt: string }): Promise<number> {
  return Number(process.hrtime.bigint() - BigInt(calledAt)) / 1e6
}
