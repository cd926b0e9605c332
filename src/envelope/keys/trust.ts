/**
 * Whom certificates in a keyring are believed for. To be there is the root of all trust: a certificate that signed
 * itself is believed because somebody put it there, any other one if a certificate authority that is there too issued
 * it, and one that issued that authority, up to one that signed itself.
 */
import type { X509Certificate } from 'node:crypto'

/** From when until when a certificate and all above it are valid, in epoch milliseconds. */
export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
}

const maxDepth = 8

/** What a certificate says of itself. */
export const ownValidity = ({ validFrom, validTo }: X509Certificate): Validity => ({
  notBefore: Date.parse(validFrom),
  notAfter: Date.parse(validTo),
})

/** The validity of a certificate that the others lead to a root, the longest where several do; null where none does. */
export const trustedValidity = (
  certificate: X509Certificate,
  others: readonly X509Certificate[],
  depth = 0,
): Validity | null => {
  const own = ownValidity(certificate)
  if (signedItself(certificate)) return own
  if (depth === maxDepth) return null
  const above = others
    .filter((other) => other.ca && isIssuer(other, certificate))
    .flatMap((issuer) => trustedValidity(issuer, others, depth + 1) ?? [])
    .sort((first, second) => second.notAfter - first.notAfter)
  const [best] = above
  if (best === undefined) return null
  return {
    notBefore: Math.max(own.notBefore, best.notBefore),
    notAfter: Math.min(own.notAfter, best.notAfter),
  }
}

// One that is no authority does not count as the issuer of anything, itself included.
const signedItself = (certificate: X509Certificate): boolean =>
  certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey)

const isIssuer = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
