import { StoreError } from '@daybook/core'
import type { ServerOptions, Tls, TlsSettings } from '@daybook/drizzle'

type UrlOptions = Pick<ServerOptions, 'host' | 'socketPath' | 'applicationName' | 'connectTimeout' | 'tls'>

/** What stands after the `?` of a URL, by the names that libpq gives it. https://www.postgresql.org/docs/current/libpq-connect.html */
const readers: Readonly<Record<string, (value: string) => UrlOptions>> = {
  host: (value) => (value.startsWith('/') ? { socketPath: value } : { host: value }),
  application_name: (applicationName) => ({ applicationName }),
  connect_timeout: (seconds) => ({ connectTimeout: Number(seconds) * 1000 }),
}

type TlsFile = 'ca' | 'cert' | 'key'
const tlsReaders: Readonly<Record<string, TlsFile>> = { sslrootcert: 'ca', sslcert: 'cert', sslkey: 'key' }

/** All that is not plain text verifies the server: a mode that does not is not to be had by a word in a URL. */
const modes: Readonly<Record<string, boolean>> = {
  disable: false,
  require: true,
  'verify-ca': true,
  'verify-full': true,
}

/** @throws `invalid_argument` for a parameter that means nothing here, since it was meant to do something */
export function urlSettings(parameters: ReadonlyMap<string, string>): UrlOptions {
  let settings: UrlOptions = {}
  let mode: boolean | undefined
  const files: Partial<Record<TlsFile, string>> = {}
  for (const [name, value] of parameters) {
    const [read, file] = [own(readers, name), own(tlsReaders, name)]
    if (read !== undefined) settings = { ...settings, ...read(value) }
    else if (file !== undefined) files[file] = value
    else if (name === 'sslmode') mode = modeOf(value)
    // Without its name: what is cut off here may be the end of a password with a ? in it.
    else throw invalid(`has a parameter that the store does not know; there are ${known.join(', ')}`)
  }
  const tls = tlsOf(mode, files)
  return { ...settings, ...(tls !== undefined && { tls }) }
}

/** Not what every object inherits. */
const own = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

const known = [...Object.keys(readers), 'sslmode', ...Object.keys(tlsReaders)]

function modeOf(value: string): boolean {
  const mode = own(modes, value)
  if (mode !== undefined) return mode
  throw invalid(`has a sslmode that is none of ${Object.keys(modes).join(', ')}; the option tls says the rest`)
}

function tlsOf(mode: boolean | undefined, files: TlsSettings): Tls | undefined {
  const hasFiles = Object.keys(files).length > 0
  if (mode === false && hasFiles) throw invalid('has certificates, and sslmode=disable')
  return hasFiles ? files : mode
}

const invalid = (what: string) => new StoreError('invalid_argument', `url ${what}`, { field: 'url' })
