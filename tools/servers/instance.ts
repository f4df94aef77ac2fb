import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serverAccount, type Account } from './account.ts'
import type { Kind } from './catalog.ts'
import { assertReachable, privateFolder } from './folders.ts'
import { freePort } from './free-port.ts'
import type { ServerKind, Settings, Site } from './kinds/kind.ts'
import { mariadb, mysql } from './kinds/mysql.ts'
import { pgbouncer } from './kinds/pgbouncer.ts'
import { postgres } from './kinds/postgres.ts'
import { childrenOf, isAlive, isGone, runsIn, signal, until } from './processes.ts'
import type { Programs } from './programs.ts'

const kinds: Record<Kind, ServerKind> = { postgres, mysql, mariadb, pgbouncer }

/** A key pair for TLS, each as PEM text. */
interface ServerTls {
  readonly key: string
  readonly cert: string
  /** Whose client certificates it takes. */
  readonly ca?: string
}

export interface InstanceOptions {
  /** Beyond the usual ones, by the names in the server's manual: `{ sql_mode: 'ANSI' }`, `{ TimeZone: 'Asia/Tokyo' }`. */
  readonly settings?: Settings
  readonly tls?: ServerTls
  /** For a pooler: the address of the server behind it, with a password. */
  readonly upstream?: string
}

/** What is written beside the data, so that another process can find the server again. */
interface Written {
  readonly name: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly pid: number
  readonly upstream?: string
}

/** A server in a folder of its own, running or not. */
export class Instance {
  readonly name: string
  readonly folder: string
  readonly #programs: Programs
  readonly #options: InstanceOptions
  readonly #account: Account | undefined = serverAccount()
  #record: Written | undefined

  constructor(name: string, folder: string, programs: Programs, options: InstanceOptions = {}) {
    this.name = name
    this.folder = folder
    this.#programs = programs
    this.#options = options
    this.#record = recordIn(folder)
  }

  /** What it is. */
  get kind(): Kind {
    return this.#programs.kind
  }

  /** The address, for a user that may do everything; it stays the same as long as the data is. */
  get url(): string {
    return kinds[this.kind].url(this.#site())
  }

  get port(): number {
    return this.#known().port
  }

  /** The process, also when it has ended. */
  get pid(): number {
    return this.#known().pid
  }

  /** The folder with the Unix socket. */
  get socketFolder(): string {
    return join(this.folder, 'run')
  }

  /** The server's full version. */
  get version(): string {
    return this.#programs.version
  }

  get isRunning(): boolean {
    return this.#record !== undefined && runsIn(this.#record.pid, this.folder)
  }

  /** What the server wrote into its log. */
  get log(): string {
    return existsSync(join(this.folder, 'log')) ? readFileSync(join(this.folder, 'log'), 'utf8') : ''
  }

  /** Starts it, with an empty database the first time, and resolves when it answers. It outlives this process. */
  async start(): Promise<void> {
    const isMoved = this.#record?.upstream !== this.#options.upstream
    if (this.isRunning && !isMoved) return
    const isNew = isMoved || !existsSync(join(this.folder, 'ready'))
    if (isNew) await this.#initialize()
    for (let attempt = 1; ; attempt++) {
      this.#run()
      try {
        await this.#answers()
        break
      } catch (error) {
        await this.kill()
        // Somebody else may have taken the port meanwhile. A known one stays, for others have its address.
        if (!isNew || attempt === 3) throw error
        this.#write({ port: await freePort() })
      }
    }
    if (isNew) await kinds[this.kind].admit(this.#site())
    if (isNew) writeFileSync(join(this.folder, 'ready'), '')
  }

  /** Stops it in order and keeps the data. */
  async stop(): Promise<void> {
    if (!this.isRunning) return
    const { pid } = this.#known()
    signal(pid, kinds[this.kind].stop)
    await until(() => !runsIn(pid, this.folder), 60, `stopping ${this.name}`)
  }

  /** Ends it as a power cut would: at once, with all the processes it has. The data stays. */
  async kill(): Promise<void> {
    if (!this.isRunning) return
    const { pid } = this.#known()
    const all = [pid, ...childrenOf(pid)]
    for (const each of all) signal(each, 'SIGKILL')
    await until(() => all.every((each) => !isAlive(each)), 20, `killing ${this.name}`)
    // PostgreSQL does not start beside the number in its lock file. Where nobody reaps, this waits in vain, and does no harm.
    for (let waited = 0; waited < 2000 && !isGone(pid); waited += 20) await sleep(20)
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.stop()
    await rm(this.folder, { recursive: true, force: true }) // a thousand files, and others go on meanwhile
    this.#record = undefined
  }

  #known(): Written {
    if (this.#record === undefined) throw new Error(`${this.name} was never started`)
    return this.#record
  }

  #write(changes: Partial<Written>): void {
    this.#record = { ...this.#known(), ...changes }
    writeFileSync(join(this.folder, 'server.json'), JSON.stringify(this.#record), { mode: 0o600 })
  }

  #site(): Site {
    const { port, user, password } = this.#known()
    const { settings = {}, tls, upstream } = this.#options
    const site = { programs: this.#programs, account: this.#account, folder: this.folder, port, user, password }
    return { ...site, upstream, settings: { ...(tls !== undefined && this.#tls()), ...settings } }
  }

  #tls(): Settings {
    const at = (name: string) => join(this.folder, 'files', name)
    const ca = this.#options.tls?.ca === undefined ? undefined : at('ca.pem')
    return kinds[this.kind].tls({ key: at('key.pem'), cert: at('cert.pem'), ca })
  }

  async #initialize(): Promise<void> {
    // What is left of a start that did not come to its end.
    await this.kill()
    mkdirSync(this.folder, { recursive: true })
    for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name), { recursive: true })
    if (Buffer.byteLength(join(this.folder, 'run', '.s.PGSQL.65535.lock')) > 107)
      throw new Error(`${this.folder} is too long for a socket; set DAYBOOK_SERVERS_DIR or TMPDIR to a shorter path`)
    if (this.#account !== undefined) assertReachable(this.folder)
    for (const name of ['.', 'data', 'run', 'files']) privateFolder(join(this.folder, name), this.#account)
    for (const [name, pem] of Object.entries(this.#options.tls ?? {})) {
      const file = join(this.folder, 'files', `${name}.pem`)
      writeFileSync(file, pem, { mode: 0o600 })
      if (this.#account !== undefined) chownSync(file, this.#account.uid, this.#account.gid)
    }
    // A pooler asks the server behind it who may log in, so its user is that server's.
    const behind = this.#options.upstream === undefined ? undefined : new URL(this.#options.upstream)
    this.#record = {
      name: this.name,
      port: await freePort(),
      user: behind?.username ?? (this.kind === 'postgres' ? 'postgres' : 'daybook'),
      password: behind?.password ?? randomBytes(12).toString('hex'),
      pid: 0,
      ...(this.#options.upstream !== undefined && { upstream: this.#options.upstream }),
    }
    await kinds[this.kind].initialize(this.#site())
    this.#write({})
  }

  #run(): void {
    const { file, args } = kinds[this.kind].command(this.#site())
    const log = openSync(join(this.folder, 'log'), 'a')
    const child = spawn(file, args, { cwd: '/', detached: true, stdio: ['ignore', log, log], ...this.#account })
    closeSync(log)
    // Without a listener a program that cannot be started would end this process; that it does not run is seen below.
    child.on('error', () => {})
    child.unref()
    this.#write({ pid: child.pid ?? 0 })
  }

  async #answers(): Promise<void> {
    const end = Date.now() + 60_000
    for (;;) {
      try {
        return await kinds[this.kind].answers(this.#site())
      } catch (error) {
        const last = this.log.trim().split('\n').slice(-5).join('\n')
        if (!isAlive(this.#known().pid)) throw new Error(`${this.name} ended:\n${last}`, { cause: error })
        if (Date.now() > end) throw new Error(`${this.name} does not answer:\n${last}`, { cause: error })
        await sleep(50)
      }
    }
  }
}

function recordIn(folder: string): Written | undefined {
  if (!existsSync(join(folder, 'server.json'))) return undefined
  return JSON.parse(readFileSync(join(folder, 'server.json'), 'utf8')) as Written // what #write wrote
}
