// A Standard Schema (https://standardschema.dev) written by hand, so that the examples need no package. With zod, valibot
// or arktype you hand their schema to `input` and need none of this. A name that begins with `_` is a helper, not a task.

/** Makes a schema of a function that returns the checked value, or throws what is wrong with it. */
export function schema<Value>(check: (value: unknown) => Value) {
  const types: { input: Value; output: Value } | undefined = undefined
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'jobq-examples',
      types,
      validate(value: unknown): { value: Value } | { issues: { message: string }[] } {
        try {
          return { value: check(value) }
        } catch (error) {
          return { issues: [{ message: String(error) }] }
        }
      },
    },
  }
}

/** One property of a value that came from outside, undefined where there is none. */
export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
