import { StoreError } from '@daybook/core'

export type SqliteUrl =
  | { readonly kind: 'local'; readonly path: string; readonly isMemory: boolean }
  | { readonly kind: 'remote'; readonly url: string }

const remoteSchemes = ['libsql:', 'http:', 'https:', 'ws:', 'wss:']

/** `:memory:`, `file:…` (relative, or absolute with one or three slashes), or the address of a libSQL server. */
export function parseUrl(url: unknown): SqliteUrl {
  if (typeof url !== 'string' || url === '') throw invalid('is missing: give file:agent.db, :memory:, or libsql://…')
  if (url === ':memory:' || url === 'file::memory:') return { kind: 'local', path: ':memory:', isMemory: true }
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(url)?.[0].toLowerCase()
  if (scheme === undefined) throw invalid('has no scheme: a file is file:agent.db, a server is libsql://…')
  if (remoteSchemes.includes(scheme)) return { kind: 'remote', url }
  if (scheme !== 'file:')
    throw invalid(`has the scheme ${scheme} which SQLite does not have; there are file: and ${remoteSchemes.join(' ')}`)
  return { kind: 'local', path: pathOf(url), isMemory: false }
}

function pathOf(url: string): string {
  const rest = url.slice('file:'.length)
  if (/[?#]/.test(rest))
    throw invalid(
      'has a query or a fragment; settings are options of the store, and ? and # in a file name are %3F and %23',
    )
  const path = rest.startsWith('//') ? rest.replace(/^\/\/(?:localhost)?(?=\/)/i, '') : rest
  if (path === '' || path.startsWith('//')) throw invalid('names no local file')
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    throw invalid('has a percent sign that is not an escape (%25 is one)', cause)
  }
}

const invalid = (what: string, cause?: unknown) =>
  new StoreError('invalid_argument', `url ${what}`, { field: 'url', cause })
