import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { editionOf, serverNames, variables, type Kind } from '../../../tools/servers/catalog.ts'
import { findServers } from '../../../tools/servers/find.ts'
import { allFound, missingServer, type ServerBackend } from '../../../tools/servers/found.ts'
import { running } from '../../../tools/servers/zoo.ts'
import { readCertificate } from '../src/certificate-files.ts'
import { backends } from './backends.ts'

/** One certificate of the matrix. */
interface Cell {
  readonly name: string
  readonly backend: string
  /** The server's address, in the variable where the tests look for it. */
  readonly environment: Readonly<Record<string, string>>
}

const serversOf: Readonly<Partial<Record<Kind, ServerBackend>>> = { postgres: 'pg', mariadb: 'mariadb', mysql: 'mysql' }
// The same engine and driver as another backend, with a codec between: `npm test` has that.
const isVariant = (name: string) => name.endsWith('-codec')

/**
 * Certifies every backend on its server, and again on every other version that `pnpm servers up` has started. Each in a
 * process of its own. Answers 0 if all are certified.
 */
export async function certifyMatrix(root: URL, args: readonly string[]): Promise<number> {
  const started = await findServers(['pg', 'mariadb', 'mysql'])
  try {
    const { cells, notRun } = await plan()
    const lines: string[] = []
    let failed = notRun.length
    for (const cell of cells) {
      console.info(`\n== ${cell.name}`)
      const begun = Date.now()
      const status = certifyCell(cell, args)
      if (status !== 0) failed++
      lines.push(`${cell.name.padEnd(24)} ${await outcome(root, cell, status, begun)}`)
    }
    for (const line of [...lines, ...notRun, '', `${cells.length} run, ${failed} failed or missing`]) console.info(line)
    return failed > 0 ? 1 : 0
  } finally {
    for (const instance of started) await instance.remove()
  }
}

async function plan(): Promise<{ cells: readonly Cell[]; notRun: readonly string[] }> {
  const cells: Cell[] = []
  const notRun: string[] = []
  for (const [name, { server }] of Object.entries(backends).filter(([one]) => !isVariant(one))) {
    const missing = server === undefined ? undefined : missingServer(server)
    if (missing === undefined) cells.push({ name, backend: name, environment: {} })
    else notRun.push(`${name.padEnd(24)} not run: ${missing}`)
  }
  const up = await running()
  for (const name of serverNames) {
    const { kind, version } = editionOf(name)
    const server = serversOf[kind]
    // What was found for the backend itself is in the matrix under the backend's name.
    if (server === undefined || isVersion(server, version)) continue
    const instance = up.find((one) => one.name === name)
    if (instance === undefined) notRun.push(`${name.padEnd(24)} not run: pnpm servers up ${name}`)
    else
      for (const [backend] of Object.entries(backends).filter(([one, its]) => its.server === server && !isVariant(one)))
        cells.push({ name: backend.replace(server, name), backend, environment: { [variables[kind]]: instance.url } })
  }
  return { cells, notRun }
}

function isVersion(server: ServerBackend, version: string): boolean {
  const found = allFound()[server]
  return found !== undefined && 'product' in found && found.product.split(' ')[1]?.startsWith(version) === true
}

function certifyCell({ name, backend, environment }: Cell, args: readonly string[]): number {
  const { DAYBOOK_FOUND: found, ...rest } = process.env
  // A server of another version is not the one that was found.
  const own = Object.keys(environment).length > 0 ? { ...rest, ...environment } : { ...rest, DAYBOOK_FOUND: found }
  const script = fileURLToPath(new URL('backend.ts', import.meta.url))
  const { status } = spawnSync(
    process.execPath,
    [...process.execArgv, script, '--backend', backend, '--as', name, ...args],
    { stdio: 'inherit', env: own },
  )
  return status ?? 3
}

/** One that broke off has written no certificate, and that of another run says nothing of it. */
async function outcome(root: URL, { name }: Cell, status: number, begun: number): Promise<string> {
  if (status === 3) return 'could not start'
  const path = fileURLToPath(new URL(`conformance/${name}.json`, root))
  const isOfThisRun = existsSync(path) && statSync(path).mtimeMs >= begun - 1000 // a disk may know whole seconds only
  if (!isOfThisRun) return `broke off with ${status}, without a certificate`
  const { level, verdict, server } = await readCertificate(path)
  return `${verdict}, level ${level}, on ${server.flavour} ${server.version}`
}
