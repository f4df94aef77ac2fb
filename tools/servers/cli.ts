// pnpm servers get|up|down|reset|status|env [NAME…]
import { isServerName, serverNames, variables, type Kind, type ServerName } from './catalog.ts'
import { root } from './folders.ts'
import type { Instance } from './instance.ts'
import { getPrograms } from './programs.ts'
import { down, known, reset, running, up } from './zoo.ts'

const usage = `pnpm servers get|up|down|reset|status|env [NAME…]
  get     downloads the programs that this machine does not have
  up      gets and starts servers that stay
  down    stops them and keeps their data; without a name, all
  reset   starts them anew, empty
  status  what runs where
  env     prints lines for your shell, so that the tests use these servers
names: ${serverNames.join(', ')}`

const commands: Readonly<Record<string, (names: readonly ServerName[]) => Promise<void>>> = {
  async get(names) {
    for (const name of some(names)) {
      const { version, home } = await getPrograms(root(), name)
      console.info(`${name.padEnd(14)} ${version.padEnd(8)} ${home ?? 'on this machine'}`)
    }
  },
  async up(names) {
    for (const name of some(names)) say(await up(name))
  },
  async down(names) {
    for (const name of names.length > 0 ? names : serverNames) await down(name)
  },
  async reset(names) {
    for (const name of some(names)) say(await reset(name))
  },
  async status(names) {
    for (const name of names.length > 0 ? names : serverNames) {
      const instance = await known(name)
      if (instance?.isRunning === true) say(instance)
      else console.info(`${name.padEnd(14)} down`)
    }
  },
  async env(names) {
    const instances = names.length > 0 ? await Promise.all(names.map(runningOne)) : await running()
    const seen = new Set<Kind>()
    for (const { kind, url } of instances) {
      if (seen.has(kind)) throw new Error(`the tests take one ${kind}, and there are two: name the one`)
      seen.add(kind)
      console.info(`export ${variables[kind]}='${url}'`)
    }
  },
}

async function runningOne(name: ServerName): Promise<Instance> {
  const instance = await known(name)
  if (instance?.isRunning !== true) throw new Error(`${name} is down; pnpm servers up ${name}`)
  return instance
}

function some(names: readonly ServerName[]): readonly ServerName[] {
  if (names.length === 0) throw new Error(usage)
  return names
}

const say = ({ name, version, url, pid }: Instance) =>
  console.info(`${name.padEnd(14)} ${version.padEnd(8)} ${url} (process ${pid})`)

const [command = '', ...names] = process.argv.slice(2)
const chosen = commands[command]
const unknown = names.filter((name) => !isServerName(name))
try {
  if (chosen === undefined || unknown.length > 0)
    throw new Error([...unknown.map((name) => `no server ${name}`), usage].join('\n'))
  await chosen(names.filter((name) => isServerName(name)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
