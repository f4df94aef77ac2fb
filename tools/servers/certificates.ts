import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** PEM text. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A certificate authority of a test's own. Needs `openssl`. */
export interface Authority {
  readonly ca: string
  /** @param names host names that a server is known by; none for the certificate of a client */
  issue(subject: string, names?: readonly string[]): Promise<Certificate>
  remove(): Promise<void>
}

export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-tls-'))
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
  const pem = (name: string) => readFile(join(folder, name), 'utf8')
  const key = ['-newkey', 'rsa:2048', '-nodes']
  await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=authority')
  return {
    ca: await pem('ca.pem'),
    async issue(subject, names = []) {
      await openssl('req', ...key, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', `/CN=${subject}`)
      const alternatives = names.map((name) => `DNS:${name}`).join(',')
      await writeFile(join(folder, 'names'), alternatives === '' ? '' : `subjectAltName=${alternatives}`)
      const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names']
      await openssl('x509', '-req', '-in', 'request.pem', ...authority, '-days', '2', '-out', 'cert.pem')
      return { cert: await pem('cert.pem'), key: await pem('key.pem') }
    },
    remove: () => rm(folder, { recursive: true }),
  }
}

/** A certificate authority, and a certificate of it for a host name; PEM text. */
export async function certificatesFor(host: string): Promise<Certificate & { readonly ca: string }> {
  const authority = await createAuthority()
  try {
    return { ca: authority.ca, ...(await authority.issue(host, [host])) }
  } finally {
    await authority.remove()
  }
}
