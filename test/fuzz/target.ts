/** Something that reads what others wrote, to be fuzzed. */
export interface FuzzTarget {
  /** Also the name of its folder in test/fixtures/fuzz. */
  readonly name: string
  /** Inputs that it reads, from which others are made. */
  readonly examples: readonly Uint8Array[]
  /** Pieces that its format is made of, put in here and there. */
  readonly words?: readonly (string | Uint8Array)[]
  /** Reads an input; ends, or throws what `isRefusal` knows. */
  read(input: Uint8Array): unknown
  /** Whether an error is one that it is documented to throw. */
  isRefusal(error: unknown): boolean
  /** Lets go of what it has opened. */
  end?(): void
}
