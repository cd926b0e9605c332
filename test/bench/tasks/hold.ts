const bell = new Int32Array(new SharedArrayBuffer(4))

/** The last part of a wait is spent looking at the clock, because sleeping is not exact, in milliseconds. */
const lookForMs = 0.3

/** Takes exactly so many milliseconds, most of them without using the processor. */
export default async function hold({ ms }: { readonly ms: number }): Promise<void> {
  const end = performance.now() + ms
  if (ms > lookForMs) Atomics.wait(bell, 0, 0, ms - lookForMs)
  while (performance.now() < end);
}
