import { checkedCount, checkedOptionalText, StoreError } from '@daybook/core'
import { parseServerUrl, type ServerUrl } from './server-url.ts'
import { tlsOptionsOf, type Tls, type TlsOptions } from './tls.ts'

/** Where a server is, who asks, and how long things may take: what a store that opens its own pool can be told. All times are milliseconds. */
export interface ServerOptions {
  /** The address as one text, each part percent-encoded. Instead of it, or beside it for what it leaves out, the parts: */
  readonly url?: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
  /** A function is asked for each new connection: for tokens that change. */
  readonly password?: string | (() => string | Promise<string>)
  readonly database?: string
  /** A unix socket instead of host and port. */
  readonly socketPath?: string
  /** Connections that are made at once when the store opens, so that the first calls do not wait. Default 0. */
  readonly warm?: number
  /** A connection that was idle for so long is closed; 0: never. Default 30,000. */
  readonly idleTimeout?: number
  /** A connection older than this is closed when it comes back; 0: never. Default 3,600,000, an hour. */
  readonly maxAge?: number
  /** How long a connection may take to be made. Default 10,000. */
  readonly connectTimeout?: number
  /** How long a call waits for a connection when all are in use. Default: its `timeout`. */
  readonly acquireTimeout?: number
  /** After so long without traffic the system asks whether the other side is there; 0: never. Default 60,000. */
  readonly keepAlive?: number
  /** The server cancels a statement that runs for longer; 0: never. Default: the server's setting. */
  readonly statementTimeout?: number
  /** A statement that waits for a lock for longer fails; 0: it waits. Default: the server's setting. */
  readonly lockTimeout?: number
  /** Default `false`: plain text. `true` verifies certificate and host name. */
  readonly tls?: Tls
  /** What the server shows of the connections. Default `daybook`. */
  readonly applicationName?: string
}

/** The names of these options, for `checkedOptions`. */
export const serverOptionNames = [
  'url',
  'host',
  'port',
  'user',
  'password',
  'database',
  'socketPath',
  'warm',
  'idleTimeout',
  'maxAge',
  'connectTimeout',
  'acquireTimeout',
  'keepAlive',
  'statementTimeout',
  'lockTimeout',
  'tls',
  'applicationName',
] as const satisfies readonly (keyof ServerOptions)[]

/** The same, checked, with the defaults filled in. */
export interface CheckedServer {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly socketPath: string | undefined
  readonly user: string | undefined
  /** Asks the function anew each time where one was given. */
  readonly password: (() => Promise<string>) | undefined
  readonly database: string | undefined
  /** What stands after the `?` of the URL: for the dialect to read or to refuse. */
  readonly parameters: ReadonlyMap<string, string>
  readonly warm: number
  readonly idleTimeout: number
  readonly maxAge: number
  readonly connectTimeout: number
  readonly acquireTimeout: number | undefined
  readonly keepAlive: number
  readonly statementTimeout: number | undefined
  readonly lockTimeout: number | undefined
  readonly applicationName: string
}

/** Timers and servers take no longer ones. */
const longest = 2 ** 31 - 1

/**
 * Checks everything before any I/O.
 *
 * @param schemes of the URLs, without `://`
 * @param size of the pool, checked
 */
export function checkedServer(options: ServerOptions, schemes: readonly string[], size: number): CheckedServer {
  const url = options.url === undefined ? nothing : parseServerUrl(options.url, schemes)
  const ms = (name: keyof ServerOptions, min: number) => checkedCount(options[name], name, { min, max: longest })
  const optional = (name: keyof ServerOptions, min: number) => (options[name] === undefined ? undefined : ms(name, min))
  const host = text(options.host, 'host') ?? url.host
  const socketPath = text(options.socketPath, 'socketPath') ?? url.socketPath
  if (options.url === undefined && host === undefined && socketPath === undefined)
    throw invalid('url', `is missing: give ${schemes[0]}://…, or host, user and database`)
  if (host !== undefined && socketPath !== undefined && options.host !== undefined)
    throw invalid('socketPath', 'and host are two places: give one')
  return {
    host: socketPath === undefined ? host : undefined,
    socketPath,
    port: options.port === undefined ? url.port : checkedCount(options.port, 'port', { min: 1, max: 65_535 }),
    user: text(options.user, 'user') ?? url.user,
    password: passwordOf(options.password ?? url.password),
    database: text(options.database, 'database') ?? url.database,
    parameters: url.parameters,
    warm: options.warm === undefined ? 0 : checkedCount(options.warm, 'warm', { max: size }),
    idleTimeout: optional('idleTimeout', 0) ?? 30_000,
    maxAge: optional('maxAge', 0) ?? 3_600_000,
    connectTimeout: optional('connectTimeout', 1) ?? 10_000,
    acquireTimeout: optional('acquireTimeout', 1),
    keepAlive: optional('keepAlive', 0) ?? 60_000,
    statementTimeout: optional('statementTimeout', 0),
    lockTimeout: optional('lockTimeout', 0),
    applicationName: text(options.applicationName, 'applicationName') ?? 'daybook',
  }
}

/** The option `tls`, or what stands in its place in the URL; its files are read. */
export const serverTls = (options: ServerOptions, fromUrl?: Tls): Promise<TlsOptions> =>
  tlsOptionsOf(options.tls ?? fromUrl)

const nothing: ServerUrl = {
  host: undefined,
  port: undefined,
  socketPath: undefined,
  user: undefined,
  password: undefined,
  database: undefined,
  parameters: new Map(),
}

function text(value: unknown, field: string): string | undefined {
  const given = checkedOptionalText(value, field)
  if (given === undefined) return undefined
  if (given === '' || given.includes('\0')) throw invalid(field, 'is empty, or contains NUL')
  return given
}

function passwordOf(password: unknown): (() => Promise<string>) | undefined {
  if (password === undefined) return undefined
  if (typeof password === 'string') return () => Promise.resolve(password)
  if (typeof password !== 'function') throw invalid('password', 'must be a string, or a function that answers one')
  return async () => {
    const answer: unknown = await Reflect.apply(password, undefined, [])
    if (typeof answer === 'string') return answer
    throw invalid('password', 'is a function that did not answer a string')
  }
}

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })
