/** Makes inputs from other inputs, the same ones for the same seed. */
export class Mutation {
  #state: number
  readonly #words: readonly Uint8Array[]

  constructor(seed: number, words: readonly (string | Uint8Array)[] = []) {
    this.#state = seed
    this.#words = words.map((word) => (typeof word === 'string' ? Buffer.from(word) : word))
  }

  /** An input made from some of these. */
  next(inputs: readonly Uint8Array[]): Uint8Array {
    if (this.#below(50) === 0) return this.#noise(this.#below(200))
    let input = this.#pick(inputs)
    for (let steps = 1 + this.#below(4); steps > 0; steps--) input = this.#change(input, inputs)
    return this.#below(2000) === 0 ? this.#repeated(input, 2 ** 20) : input.subarray(0, 2 ** 16)
  }

  #change(input: Uint8Array, inputs: readonly Uint8Array[]): Uint8Array {
    const at = this.#below(input.length + 1)
    const end = at + this.#below(Math.min(64, input.length - at) + 1)
    switch (this.#below(10)) {
      case 0: // flip a bit
      case 1:
        return this.#spliced(input, at, at + 1, Uint8Array.of((input[at] ?? 0) ^ (1 << this.#below(8))))
      case 2: // a byte that lengths and limits are made of
        return this.#spliced(input, at, at + 1, Uint8Array.of([0, 1, 0x7f, 0x80, 0xff][this.#below(5)] ?? 0))
      case 3: // remove
        return this.#spliced(input, at, end, new Uint8Array())
      case 4: // cut
        return input.slice(0, at)
      case 5: // noise
        return this.#spliced(input, at, end, this.#noise(1 + this.#below(8)))
      case 6: // the same again
        return this.#spliced(input, at, at, this.#repeated(input.subarray(at, end), this.#below(2000)))
      case 7: // the end of another
        return Buffer.concat([input.subarray(0, at), this.#tail(this.#pick(inputs))])
      default: // a word
        return this.#spliced(input, at, this.#below(2) ? at : end, this.#pick(this.#words))
    }
  }

  #spliced(input: Uint8Array, from: number, to: number, middle: Uint8Array): Uint8Array {
    return Buffer.concat([input.subarray(0, from), middle, input.subarray(to)])
  }

  #tail(input: Uint8Array): Uint8Array {
    return input.subarray(this.#below(input.length + 1))
  }

  #repeated(part: Uint8Array, length: number): Uint8Array {
    return part.length === 0 ? part : Buffer.alloc(length, part)
  }

  #noise(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#below(256))
  }

  #pick(inputs: readonly Uint8Array[]): Uint8Array {
    return inputs[this.#below(inputs.length)] ?? new Uint8Array()
  }

  /** A whole number below `end` (the generator is mulberry32). */
  #below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * end)
  }
}
