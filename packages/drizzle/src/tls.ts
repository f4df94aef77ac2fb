import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { checkedOptionalText, checkedFlag, checkedOptions, StoreError } from '@daybook/core'

/** How a connection is encrypted, and by what the server is known. */
export interface TlsSettings {
  /** The certificate authorities that the server's certificate may come from: PEM text, or the path of a file. Default: those of Node. */
  readonly ca?: string | Buffer
  /** The client's certificate, for servers that ask for one: PEM text, or the path of a file. */
  readonly cert?: string | Buffer
  /** Its key: PEM text, or the path of a file. */
  readonly key?: string | Buffer
  readonly passphrase?: string
  /** `false` trusts whoever answers: encrypted, and not verified. Default `true`. */
  readonly rejectUnauthorized?: boolean
  /** The name that the server's certificate must have, where that is not its host. */
  readonly servername?: string
}

/** `true`: encrypted, certificate and host name verified. `false`, and the default: plain text. */
export type Tls = boolean | TlsSettings

/** What Node's `tls.connect` takes, or `false`. */
export type TlsOptions =
  | false
  | (Readonly<Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername'>> & {
      readonly rejectUnauthorized: boolean
    })

const names = ['ca', 'cert', 'key', 'passphrase', 'rejectUnauthorized', 'servername'] as const

/**
 * The option `tls`, checked, and its files read. No message holds what was given, since a key may stand where a path was
 * meant.
 *
 * @throws `invalid_argument` also for a file that cannot be read
 */
export async function tlsOptionsOf(tls: unknown): Promise<TlsOptions> {
  if (tls === undefined || typeof tls === 'boolean') return tls === true ? { rejectUnauthorized: true } : false
  const given = checkedOptions(tls, names, 'tls')
  const passphrase = checkedOptionalText(given.passphrase, 'tls.passphrase')
  const servername = checkedOptionalText(given.servername, 'tls.servername')
  const isVerified =
    given.rejectUnauthorized === undefined || checkedFlag(given.rejectUnauthorized, 'tls.rejectUnauthorized')
  const [ca, cert, key] = await Promise.all([
    pemOf(given.ca, 'tls.ca'),
    pemOf(given.cert, 'tls.cert'),
    pemOf(given.key, 'tls.key'),
  ])
  if ((cert === undefined) !== (key === undefined))
    throw invalid('tls', 'has a certificate without its key, or a key without its certificate')
  return {
    rejectUnauthorized: isVerified,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
    ...(servername !== undefined && { servername }),
  }
}

async function pemOf(value: unknown, field: string): Promise<string | Buffer | undefined> {
  if (value === undefined || Buffer.isBuffer(value)) return value
  if (typeof value !== 'string' || value === '')
    throw invalid(field, 'must be PEM text, a Buffer, or the path of a file')
  if (value.includes('-----BEGIN ')) return value
  try {
    return await readFile(value)
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException // what Node reports about files
    throw invalid(field, `is neither PEM text nor a file that can be read (${code})`)
  }
}

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })
