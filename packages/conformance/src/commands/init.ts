import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parsed, UsageError, type Command, type ExitCode } from './command.ts'

/** What is written, by its name among the templates; a package brings no files that end as tests do. */
const files = {
  'my-store.conformance.ts': 'my-store.conformance.ts',
  'my-store.conformance.test.ts': 'my-store.node-test.ts',
}

/** Writes a subject that runs, for the author to put their store into, and a test file for `node --test`. */
export const init: Command = {
  usage: 'init [dir]',
  async run(args): Promise<ExitCode> {
    const { positionals } = parsed({ args: [...args], allowPositionals: true, options: {} })
    const [folder = '.', ...rest] = positionals
    if (rest.length > 0) throw new UsageError('init takes one folder')
    for (const name of Object.keys(files))
      if ((await stat(join(folder, name)).catch(() => undefined)) !== undefined)
        throw new UsageError(`${join(folder, name)} is there already`)
    for (const [name, template] of Object.entries(files)) {
      const text = await readFile(new URL(`../../templates/${template}`, import.meta.url), 'utf8')
      await writeFile(join(folder, name), text, { flag: 'wx' })
      console.info(`wrote ${join(folder, name)}`)
    }
    console.info(`next: npx daybook-conformance run ${join(folder, 'my-store.conformance.ts')}`)
    return 0
  },
}
