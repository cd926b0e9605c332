import { type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'
import type { Validity as Period } from './trust.ts'

const ed25519 = '1.3.101.112'
const commonName = '2.5.4.3'
/** RFC 5280, upper bound of a common name. */
const maxCommonName = 64

/** A certificate in PEM for an Ed25519 key that it signs itself: for signatures only, not an authority. */
export const selfSignedCertificate = (
  name: string,
  keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  { notBefore, notAfter }: Period,
): string => {
  const algorithm = new AlgorithmIdentifier({ algorithm: ed25519 })
  const value = new AttributeValue({ utf8String: name.slice(0, maxCommonName) })
  const subject = new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: commonName, value })])])
  const content = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: algorithm,
    issuer: subject,
    subject,
    // A certificate's times are whole seconds; it is valid now.
    validity: new Validity({ notBefore: new Date(Math.floor(notBefore / 1000) * 1000), notAfter: new Date(notAfter) }),
    subjectPublicKeyInfo: AsnConvert.parse(
      keys.publicKey.export({ format: 'der', type: 'spki' }),
      SubjectPublicKeyInfo,
    ),
    extensions: new Extensions([
      critical(id_ce_basicConstraints, new BasicConstraints({ cA: false })),
      critical(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature)),
    ]),
  })
  const signature = sign(null, Buffer.from(AsnConvert.serialize(content)), keys.privateKey)
  const certificate = new Certificate({
    tbsCertificate: content,
    signatureAlgorithm: algorithm,
    signatureValue: new Uint8Array(signature).buffer,
  })
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString()
}

const critical = (id: string, value: BasicConstraints | KeyUsage): Extension =>
  new Extension({ extnID: id, critical: true, extnValue: new OctetString(AsnConvert.serialize(value)) })

/** 127 random bits: a positive number. */
const serialNumber = (): ArrayBuffer => {
  const bytes = new Uint8Array(randomBytes(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.buffer
}
