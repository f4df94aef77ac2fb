import type { Programs } from '../programs.ts'
import type { Account } from '../account.ts'

/** Settings of a server, by the names in its own manual. */
export type Settings = Readonly<Record<string, string | number>>

/** A server's own place. */
export interface Site {
  readonly programs: Programs
  readonly account: Account | undefined
  /** Its folder; `data`, `run`, `files` and `log` are in it. */
  readonly folder: string
  readonly port: number
  readonly user: string
  readonly password: string
  /** What the caller wants set beyond what a test server has anyway. */
  readonly settings: Settings
  /** For a pooler: the address of the server behind it. */
  readonly upstream: string | undefined
}

interface Command {
  readonly file: string
  readonly args: readonly string[]
}

/** What differs between servers when it comes to running them. */
export interface ServerKind {
  /** Makes an empty database, once. */
  initialize(site: Site): Promise<void>
  /** What to run; it stays in the foreground. */
  command(site: Site): Command
  /** Resolves when the server answers; rejects while it does not. */
  answers(site: Site): Promise<void>
  /** What only a server that runs can be told: who may log in. Once. */
  admit(site: Site): Promise<void>
  /** Asks it to stop soon and in order. */
  readonly stop: 'SIGINT' | 'SIGTERM'
  /** The address for a user that may do everything. */
  url(site: Site): string
  /** Settings by which it takes TLS connections with these files. */
  tls(files: { readonly key: string; readonly cert: string; readonly ca: string | undefined }): Settings
}
