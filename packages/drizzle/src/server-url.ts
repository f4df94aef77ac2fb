import { StoreError } from '@daybook/core'

/** What the URL of a database server says, its percent-escapes undone. What it does not say is `undefined`. */
export interface ServerUrl {
  readonly host: string | undefined
  readonly port: number | undefined
  /** A unix socket instead of host and port: where the host is an absolute path. */
  readonly socketPath: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  /** What stands after the `?`. */
  readonly parameters: ReadonlyMap<string, string>
}

/**
 * Reads `scheme://user:password@host:port/database?name=value`. The host may be a name, an address (IPv6 in brackets), or the
 * percent-encoded path of a unix socket. No message holds a part of the URL besides its scheme, for it may be the password.
 *
 * @param schemes without `://`; the first two are shown in messages
 */
export function parseServerUrl(url: unknown, schemes: readonly string[]): ServerUrl {
  const shown = schemes.map((scheme) => `${scheme}://`).join(' or ')
  const scheme = typeof url === 'string' ? /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase() : undefined
  if (typeof url !== 'string' || scheme === undefined) throw invalid(`must begin with ${shown}`)
  if (!schemes.includes(scheme)) throw invalid(`must begin with ${shown}, not with ${scheme}://`)
  const { username, password, hostname, port, pathname, search, hash } = parsed(url)
  if (hash !== '') throw invalid('has a #, which has to be written %23')
  const path = pathname.replace(/^\//, '')
  if (path.includes('/')) throw invalid('has a / in the name of its database, which has to be written %2F')
  const host = textOf(hostname.replace(/^\[(.*)\]$/, '$1'))
  const isSocket = host?.startsWith('/') === true
  return {
    host: isSocket ? undefined : host,
    socketPath: isSocket ? host : undefined,
    port: port === '' ? undefined : Number(port),
    user: textOf(username),
    password: textOf(password),
    database: textOf(path),
    parameters: parametersOf(search),
  }
}

/** Where there is a user and no host, as in `scheme://user@/database`, Node's parser wants one. */
function parsed(
  url: string,
): Pick<URL, 'username' | 'password' | 'hostname' | 'port' | 'pathname' | 'search' | 'hash'> {
  const isHostless = /^[^/]+:\/\/[^/?#]*@(?=[/?]|$)/.test(url)
  const whole = isHostless ? url.replace(/@(?=[/?]|$)/, '@none') : url
  try {
    const read = new URL(whole)
    const { username, password, port, pathname, search, hash } = read
    return { username, password, port, pathname, search, hash, hostname: isHostless ? '' : read.hostname }
  } catch {
    // Node's error shows the URL, and with it the password.
    throw invalid('cannot be read: are user, password, host, port and database each percent-encoded?')
  }
}

function parametersOf(search: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const pair of search.replace(/^\?/, '').split('&')) {
    if (pair === '') continue
    const [name = '', ...value] = pair.split('=')
    parameters.set(textOf(name) ?? '', textOf(value.join('=')) ?? '')
  }
  return parameters
}

function textOf(part: string): string | undefined {
  if (part === '') return undefined
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid('has a percent sign that is not an escape (%25 is one)')
  }
}

const invalid = (what: string) => new StoreError('invalid_argument', `url ${what}`, { field: 'url' })
