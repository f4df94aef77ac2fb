import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { published, read, root } from './workspace.ts'

/**
 * Names that a module exports, types too. Enough of a parser for files that list or declare what they export; that it misses
 * no value is checked against the module itself.
 */
const exportsOf = (path: string): readonly string[] => {
  const source = read(path).replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
  const names: string[] = []
  for (const [, type = '', list = ''] of source.matchAll(/^export (?:const )?(type )?\{([^}]*)\}/gm)) {
    for (const item of list
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)) {
      const name = item.split(' as ').at(-1) ?? item
      names.push(type !== '' || item.startsWith('type ') ? `type ${name.replace(/^type /, '')}` : name)
    }
  }
  for (const [, kind = '', name = ''] of source.matchAll(
    /^export (?:declare )?(?:async )?(?:abstract )?(function\*?|const|let|class|interface|type) (\w+)/gm,
  )) {
    names.push(kind === 'interface' || kind === 'type' ? `type ${name}` : name)
  }
  for (const [, from = ''] of source.matchAll(/^export (?:type )?\* from '(\.[^']+)'/gm)) {
    names.push(...exportsOf(join(dirname(path), from)))
  }
  return [...new Set(names)]
}

const entries = published.flatMap(({ path, manifest }) =>
  Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const source = typeof target === 'string' ? undefined : target['@daybook/source']
    return source === undefined ? [] : [{ name: join(manifest.name, subpath), file: join(path, source) }]
  }),
)

// A changed list is a change for users: it wants a changeset, and `npx vitest run --project tools -u`.
// To import ADK takes seconds.
test.each(entries)('what $name exports', { timeout: 60_000 }, async ({ name, file }) => {
  expect(existsSync(root + file)).toBe(true)
  const values = Object.keys((await import(/* @vite-ignore */ root + file)) as object) // a module is an object
  const names = exportsOf(file)
  expect(names).toEqual(expect.arrayContaining(values))
  const types = names.filter((entry) => entry.startsWith('type '))
  const list = [...values.toSorted(), ...types.toSorted()]
  await expect(list.map((entry) => `${entry}\n`).join('')).toMatchFileSnapshot(
    `exports/${name.replace('@daybook/', '').replace('/', '.')}.txt`,
  )
})
