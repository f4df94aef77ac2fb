import { StoreError } from '@daybook/core'
import type { AuthPlugin } from 'mysql2'

/** Ways to log in that servers may ask for, and the driver does not know. Its own error would look like a lost connection. */
const unknown = [
  'client_ed25519',
  'parsec',
  'auth_gssapi_client',
  'dialog',
  'mysql_old_password',
  'authentication_ldap_sasl_client',
  'authentication_kerberos_client',
  'authentication_webauthn_client',
  'authentication_oci_client',
  'mysql_clear_password', // the password as it is; the driver would ask for consent
]

const refusing =
  (name: string): AuthPlugin =>
  () =>
  () => {
    throw new StoreError(
      'unsupported',
      `the server asks this user to log in by ${name}, which mysql2 cannot do; use caching_sha2_password or mysql_native_password`,
      { capability: 'authentication' },
    )
  }

export const authPlugins: Record<string, AuthPlugin> = Object.fromEntries(unknown.map((name) => [name, refusing(name)]))
