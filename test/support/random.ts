import { createHash } from 'node:crypto'

/** Numbers that look random and are the same for the same seed. */
export class SeededRandom {
  readonly seed: string
  #drawn = 0

  /** With the given seed, else a fresh one. */
  constructor(seed = String(Math.floor(Math.random() * 1e9))) {
    this.seed = seed
  }

  /** From [0, 1). */
  next(): number {
    const digest = createHash('sha256')
      .update(`${this.seed} ${++this.#drawn}`)
      .digest()
    return digest.readUInt32BE() / 2 ** 32
  }

  /** A whole number below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  /** One of these; undefined where there are none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)]
  }

  /** One of these names, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(weights) as Name[]
    let left = this.next() * names.reduce((sum, name) => sum + weights[name], 0)
    for (const name of names) {
      left -= weights[name]
      if (left < 0) return name
    }
    throw new Error('there is nothing to choose from')
  }
}
