import { StoreError } from '@daybook/core'
import type { ServerOptions, Tls, TlsSettings } from '@daybook/drizzle'

type UrlOptions = Pick<ServerOptions, 'socketPath' | 'connectTimeout' | 'tls'>

/**
 * What stands after the `?` of a URL, by the names that MySQL's own programs give it; `-` and `_` and capitals make no
 * difference. https://dev.mysql.com/doc/refman/8.4/en/connecting-using-uri-or-key-value-pairs.html
 */
const readers: Readonly<Record<string, (value: string) => UrlOptions>> = {
  socket: (socketPath) => ({ socketPath }),
  socketpath: (socketPath) => ({ socketPath }),
  connecttimeout: (ms) => ({ connectTimeout: Number(ms) }),
}

type TlsFile = 'ca' | 'cert' | 'key'
const tlsReaders: Readonly<Record<string, TlsFile>> = { sslca: 'ca', sslcert: 'cert', sslkey: 'key' }

/** All that is not plain text verifies the server: a mode that does not is not to be had by a word in a URL. */
const modes: Readonly<Record<string, boolean>> = {
  disabled: false,
  required: true,
  verify_ca: true,
  verify_identity: true,
}

/** `ssl={"rejectUnauthorized":true}` is what PlanetScale shows. */
const flags: Readonly<Record<string, boolean>> = { true: true, false: false, '{"rejectUnauthorized":true}': true }

/** @throws `invalid_argument` for a parameter that means nothing here, since it was meant to do something */
export function urlSettings(parameters: ReadonlyMap<string, string>): UrlOptions {
  let settings: UrlOptions = {}
  let mode: boolean | undefined
  const files: Partial<Record<TlsFile, string>> = {}
  for (const [given, value] of parameters) {
    const name = given.replace(/[-_]/g, '').toLowerCase()
    const [read, file] = [own(readers, name), own(tlsReaders, name)]
    if (read !== undefined) settings = { ...settings, ...read(value) }
    else if (file !== undefined) files[file] = value
    else if (name === 'sslmode') mode = chosen(modes, value.toLowerCase(), 'ssl-mode')
    else if (name === 'ssl') mode = chosen(flags, value, 'ssl')
    // Without its name: what is cut off here may be the end of a password with a ? in it.
    else throw invalid(`has a parameter that the store does not know; there are ${known.join(', ')}`)
  }
  const tls = tlsOf(mode, files)
  return { ...settings, ...(tls !== undefined && { tls }) }
}

/** Not what every object inherits. */
const own = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

const known = ['socket', 'connect-timeout', 'ssl', 'ssl-mode', 'ssl-ca', 'ssl-cert', 'ssl-key']

function chosen(from: Readonly<Record<string, boolean>>, value: string, name: string): boolean {
  const mode = Object.hasOwn(from, value) ? from[value] : undefined
  if (mode !== undefined) return mode
  throw invalid(`has a ${name} that is none of ${Object.keys(from).join(', ')}; the option tls says the rest`)
}

function tlsOf(mode: boolean | undefined, files: TlsSettings): Tls | undefined {
  const hasFiles = Object.keys(files).length > 0
  if (mode === false && hasFiles) throw invalid('has certificates, and no TLS')
  return hasFiles ? files : mode
}

const invalid = (what: string) => new StoreError('invalid_argument', `url ${what}`, { field: 'url' })
