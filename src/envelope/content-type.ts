/** True for a content type without parameters, such as `application/cbor`. */
export const isContentType = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/.test(value)
