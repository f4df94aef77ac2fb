import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A certificate authority, and a certificate of it for a host name; PEM text. Needs `openssl`. */
export async function certificatesFor(host: string): Promise<{ ca: string; cert: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-tls-'))
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
  const pem = (name: string) => readFile(join(folder, name), 'utf8')
  try {
    await writeFile(join(folder, 'names'), `subjectAltName=DNS:${host}`)
    const key = ['-newkey', 'rsa:2048', '-nodes']
    await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=authority')
    await openssl('req', ...key, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', `/CN=${host}`)
    const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
    await openssl(
      'x509',
      '-req',
      '-in',
      'request.pem',
      ...authority,
      '-extfile',
      'names',
      '-days',
      '2',
      '-out',
      'cert.pem',
    )
    return { ca: await pem('ca.pem'), cert: await pem('cert.pem'), key: await pem('key.pem') }
  } finally {
    await rm(folder, { recursive: true })
  }
}
