import { chmodSync, chownSync, lstatSync, mkdirSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Where servers, their packages and their data live: `DAYBOOK_SERVERS_DIR`, or a folder of the user's cache. As root it lies
 * in the folder for temporary files, for a server does not run as root and cannot look into root's home.
 */
export function root(): string {
  const { DAYBOOK_SERVERS_DIR: chosen, XDG_CACHE_HOME: cache } = process.env
  const folder =
    chosen ??
    (process.getuid?.() === 0
      ? join(tmpdir(), 'daybook-servers')
      : join(cache ?? join(homedir(), '.cache'), 'daybook', 'servers'))
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  // Whoever could put programs there would have them run by us.
  if (lstatSync(folder).uid !== (process.getuid?.() ?? 0))
    throw new Error(`${folder} belongs to somebody else; set DAYBOOK_SERVERS_DIR to a folder of your own`)
  return folder
}

/** Makes a folder that only this account can look into. */
export function privateFolder(folder: string, account: { uid: number; gid: number } | undefined): void {
  mkdirSync(folder, { recursive: true })
  if (account !== undefined) chownSync(folder, account.uid, account.gid)
  chmodSync(folder, 0o700)
}

/** A server that does not run as we do has to reach its folder through every folder above. */
export function assertReachable(folder: string): void {
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above))
    if ((statSync(above).mode & 0o001) === 0)
      throw new Error(
        `a server that is not root cannot look into ${above}; set DAYBOOK_SERVERS_DIR or TMPDIR to a folder that everybody can reach`,
      )
}
