import type { ErrorKind } from './dialect.ts'

/** What Node itself says of connections, the same under every driver. https://nodejs.org/api/errors.html, https://nodejs.org/api/tls.html */
export const nodeErrorKinds = {
  ECONNREFUSED: 'nobody_listens',
  ENOENT: 'nobody_listens', // no socket of that path
  ECONNRESET: 'connection',
  EPIPE: 'connection',
  ETIMEDOUT: 'connection',
  EHOSTUNREACH: 'connection',
  ENETUNREACH: 'connection',
  EAI_AGAIN: 'connection',
  ENOTFOUND: 'no_host',
  CERT_HAS_EXPIRED: 'untrusted',
  CERT_NOT_YET_VALID: 'untrusted',
  CERT_REVOKED: 'untrusted',
  CERT_UNTRUSTED: 'untrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'untrusted',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'untrusted',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'untrusted',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'untrusted',
} as const satisfies Readonly<Record<string, ErrorKind>>
