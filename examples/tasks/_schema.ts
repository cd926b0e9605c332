// A Standard Schema (https://standardschema.dev) written by hand, so that the examples need no package. With zod, valibot
// or arktype you hand their schema to `input` and need none of this. A name that begins with `_` is a helper, not a task.

/** Makes a schema of a function that returns the checked value, or throws what is wrong with it. */
export function schema<Input, Output = Input>(check: (value: unknown) => Output) {
  const types: { input: Input; output: Output } | undefined = undefined
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'jobq-examples',
      types,
      validate(value: unknown): { value: Output } | { issues: { message: string }[] } {
        try {
          return { value: check(value) }
        } catch (error) {
          return { issues: [{ message: String(error) }] }
        }
      },
    },
  }
}

/** A property that must be text; `fallback` where it is not there. */
export function text(value: unknown, name: string, fallback?: string): string {
  const found = property(value, name) ?? fallback
  if (typeof found !== 'string') throw new TypeError(`${name}: a text is needed`)
  return found
}

/** A property that must be a number; `fallback` where it is not there. */
export function number(value: unknown, name: string, fallback?: number): number {
  const found = property(value, name) ?? fallback
  if (typeof found !== 'number') throw new TypeError(`${name}: a number is needed`)
  return found
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
