import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { formatWithOptions } from 'node:util'
import type { Plugin } from 'vitest/config'

/** A `ts` block of documentation: after `@example` in the source of a package, or anywhere in its README. */
export interface Example {
  /** Where it stands, such as `src/store.ts:20`. */
  readonly name: string
  /** What runs it when it is imported, under the plugin of this file. */
  readonly id: string
  readonly code: string
  /** What each line says that it prints: the comment at its end. */
  readonly promised: Readonly<Record<number, string>>
}

/** All examples of a package folder. */
export const examplesIn = (folder: string): readonly Example[] =>
  [
    'README.md',
    ...readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' }).map((path) => join('src', path)),
  ]
    .filter((path) => path.endsWith('.md') || (path.endsWith('.ts') && !path.endsWith('.test.ts')))
    .toSorted()
    .flatMap((path) => examplesOf(folder, path))

/** Runs an example and answers what each of its lines printed; what one line prints in turn is joined by commas. */
export async function printedBy({ id }: Example): Promise<Readonly<Record<number, string>>> {
  const printed: Record<number, string> = {}
  const { log } = console
  // The plugin gives each call the number of its line as `this`.
  console.log = function print(this: { line?: number } | undefined, ...values: unknown[]) {
    const line = this?.line ?? 0
    const text = formatWithOptions({ breakLength: Infinity, compact: true }, ...values)
    printed[line] = printed[line] === undefined ? text : `${printed[line]}, ${text}`
  }
  try {
    await import(/* @vite-ignore */ id)
  } finally {
    console.log = log
  }
  return printed
}

/** Lets vitest import an {@link Example} by its id, and strips its types. */
export function examples(): Plugin {
  return {
    name: 'daybook:examples',
    enforce: 'pre',
    load(id) {
      const [file, query] = id.split(/\?example=(?=\d+\.ts$)/)
      if (file === undefined || query === undefined) return undefined
      const example = examplesOf('/', file)[Number.parseInt(query, 10)]
      const numbered = example?.code
        .split('\n')
        .map((line, i) => line.replace(/\bconsole\.log\(/, `console.log.call({ line: ${i + 1} }, `))
      return numbered?.join('\n')
    },
  }
}

/** The examples of one file of a folder. */
export function examplesOf(folder: string, path: string): readonly Example[] {
  const isCode = path.endsWith('.ts')
  const lines = readFileSync(join(folder, path), 'utf8').split('\n')
  const found: Example[] = []
  let isExample = !isCode
  for (let i = 0; i < lines.length; i++) {
    if (isCode && /^\s*\/?\*\*?\s*@|\*\/\s*$/.test(lines[i] ?? '')) isExample = /@example\s*$/.test(lines[i] ?? '')
    const [, indent] = /^(\s*(?:\* ?)?)```ts\s*$/.exec(lines[i] ?? '') ?? []
    if (!isExample || indent === undefined) continue
    const end = lines.findIndex((line, at) => at > i && line.trimEnd() === `${indent}\`\`\``.trimEnd())
    if (end < 0) throw new Error(`${path}:${i + 1}: the example does not end`)
    const code = lines.slice(i + 1, end).map((line) => line.slice(indent.length))
    const id = `${resolve(folder, path)}?example=${found.length}.ts`
    found.push({ name: `${path}:${i + 1}`, id, code: code.join('\n'), promised: promisedBy(code) })
    i = end
  }
  return found
}

function promisedBy(code: readonly string[]): Readonly<Record<number, string>> {
  const promised: Record<number, string> = {}
  for (const [i, line] of code.entries()) {
    if (line.includes('console.log(')) promised[i + 1] = /\/\/ (.*)$/.exec(line)?.[1] ?? 'no comment at its end'
  }
  return promised
}
