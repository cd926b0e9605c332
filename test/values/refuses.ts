import assert from 'node:assert/strict'
import { JobqError } from '../../src/errors.ts'

/** Asserts that the call throws a usage error whose message shows the value (its beginning, if it is long). */
export const refusesWithUsage = (call: () => unknown, value: unknown): void => {
  assert.throws(call, (error) => {
    assert.ok(error instanceof JobqError, String(error))
    assert.equal(error.code, 'usage')
    const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)).slice(0, -1) : String(value)
    assert.ok(error.message.includes(shown), error.message)
    return true
  })
}

/** Asserts that the call gives a finite number or throws a usage error. */
export const usageOrNumber = (call: () => number): void => {
  try {
    assert.ok(Number.isFinite(call()))
  } catch (error) {
    assert.ok(error instanceof JobqError && error.code === 'usage', String(error))
  }
}
