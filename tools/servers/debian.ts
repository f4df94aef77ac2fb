import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { locked } from './lock.ts'

const run = promisify(execFile)

/** Packages that a server never needs: its set-up is ours, and the machine has time zones. Without them it starts the same. */
const unneeded =
  /^(perl.*|libperl.*|lib[a-z]+-perl|libtext-.*|python.*|systemd|libsystemd-shared|debconf|libdebconf.*|adduser|passwd|base-passwd|login\.defs|procps|libproc2.*|ucf|openssl|ssl-cert|postgresql-common.*|postgresql-client-common|tzdata|locales|libc-l10n|libllvm.*|libz3.*|libgdbm.*|libdb5.*|gcc-.*-base|sysvinit-utils|netbase|sensible-utils|libpam-modules.*|libsemanage.*|readline-common)$/

/**
 * An apt of our own for a suite of Debian: it takes packages from where this machine takes its own, with the same key, and
 * installs nothing.
 */
export class Suite {
  readonly #folder: string
  readonly #name: string

  constructor(root: string, name: string) {
    this.#folder = join(root, 'apt', name)
    this.#name = name
  }

  /** Downloads the packages and all they need into an empty folder. */
  async download(packages: readonly string[], into: string): Promise<void> {
    await locked(this.#folder, async () => {
      const isNew = !existsSync(join(this.#folder, 'apt.conf'))
      this.#configure()
      if (isNew) await this.#update()
      try {
        await this.#fetch(packages, into)
      } catch (error) {
        if (isNew) throw error
        // In a suite that moves, what the lists name may be gone.
        await this.#update()
        await this.#fetch(packages, into)
      }
    })
  }

  async #fetch(packages: readonly string[], into: string): Promise<void> {
    const listed = await this.#apt(['install', '-y', '--print-uris', '-qq', ...packages])
    const names = [...listed.matchAll(/^'[^']+' ([^_\s]+)_/gm)].map((match) => match[1] ?? '')
    const needed = names.filter((name) => !unneeded.test(name))
    if (needed.length === 0) throw new Error(`Debian's suite ${this.#name} has no ${packages.join(', ')}`)
    await this.#apt(['download', '-qq', ...needed], into)
  }

  async #update(): Promise<void> {
    await this.#apt(['update', '-qq'])
  }

  async #apt(args: readonly string[], cwd?: string): Promise<string> {
    const env = { ...process.env, APT_CONFIG: join(this.#folder, 'apt.conf'), LC_ALL: 'C' }
    const { stdout } = await run('apt-get', args, { env, maxBuffer: 1 << 26, ...(cwd !== undefined && { cwd }) })
    return stdout
  }

  #configure(): void {
    const at = (...path: string[]) => join(this.#folder, ...path)
    for (const folder of [at('lists', 'partial'), at('cache', 'archives', 'partial'), at('none')])
      mkdirSync(folder, { recursive: true })
    const { uri, key } = debianSource()
    writeFileSync(at('sources.list'), `deb [signed-by=${key}] ${uri} ${this.#name} main\n`)
    // Nothing counts as installed, so that what is downloaded is complete.
    writeFileSync(at('status'), '')
    const settings = {
      'Dir::Etc::SourceList': at('sources.list'),
      'Dir::Etc::SourceParts': at('none'),
      'Dir::Etc::Preferences': at('none', 'preferences'),
      'Dir::Etc::PreferencesParts': at('none'),
      'Dir::State::Lists': at('lists'),
      'Dir::State::status': at('status'),
      'Dir::Cache': at('cache'),
      'APT::Install-Recommends': 'false',
      'Acquire::Languages': 'none',
      'Acquire::Retries': '3',
      ...(process.getuid?.() === 0 && { 'APT::Sandbox::User': 'root' }),
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`)
    writeFileSync(at('apt.conf'), lines.join(''))
  }
}

/** Whether packages of Debian can be had here. */
export const hasDebian = (): boolean => existsSync('/usr/bin/apt-get') && sources().length > 0

interface Source {
  readonly uri: string
  readonly key: string
}

function debianSource(): Source {
  const [first] = sources()
  if (first === undefined)
    throw new Error('this machine takes no packages from Debian; name a server of your own in the environment instead')
  return first
}

/** The machine's own entries for Debian's main archive. */
function sources(etc = '/etc/apt'): Source[] {
  const parts = join(etc, 'sources.list.d')
  const files = [join(etc, 'sources.list'), ...(existsSync(parts) ? readdirSync(parts).map((f) => join(parts, f)) : [])]
  return files
    .filter((file) => existsSync(file))
    .flatMap((file) => sourcesIn(readFileSync(file, 'utf8'), file.endsWith('.sources')))
}

const archiveKey = '/usr/share/keyrings/debian-archive-keyring.gpg'
// Updates, security and backports are archives of another shape.
const isMain = (suites: readonly string[], components: readonly string[]) =>
  components.includes('main') &&
  suites.some((suite) => /^(sid|unstable|testing|(old)*stable|[a-z]+)$/.test(suite) && suite !== 'nodistro')

/** The entries of one file, in either of apt's two formats. */
export function sourcesIn(text: string, isDeb822: boolean): Source[] {
  const entries = isDeb822 ? deb822(text) : oneLine(text)
  return entries
    .filter(({ suites, components, key }) => isMain(suites, components) && /debian-archive|^$/.test(key))
    .map(({ uri, key }) => ({ uri, key: key === '' ? archiveKey : key }))
}

interface Entry extends Source {
  readonly suites: readonly string[]
  readonly components: readonly string[]
}

function deb822(text: string): Entry[] {
  return text
    .replaceAll(/^#.*\n/gm, '')
    .split(/\n\s*\n/)
    .map((stanza) => (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(stanza)?.[1]?.trim() ?? '')
    .filter((field) => /\bdeb\b/.test(field('Types')) && !/^no$/i.test(field('Enabled')))
    .map((field) => ({
      uri: field('URIs').split(/\s+/)[0] ?? '',
      suites: field('Suites').split(/\s+/),
      components: field('Components').split(/\s+/),
      key: field('Signed-By'),
    }))
}

const oneLine = (text: string): Entry[] =>
  [...text.matchAll(/^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/gm)].map(
    ([, options = '', uri = '', suite = '', components = '']) => ({
      uri,
      suites: [suite],
      components: components.trim().split(/\s+/),
      key: /signed-by=(\S+)/.exec(options)?.[1] ?? '',
    }),
  )
