import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const isTypeScript = (url) => url.startsWith('file:') && /\.[mc]?ts$/.test(url)

/** What is imported as the compiler would name it, `./store.js`, may be there as `./store.ts`. */
export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context)
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/^\.{0,2}\/.*\.[mc]?js$/.test(specifier)) throw error
    // The first error tells what the author wrote.
    return await nextResolve(specifier.replace(/js$/, 'ts'), context).catch(() => Promise.reject(error))
  }
}

export async function load(url, context, nextLoad) {
  if (!isTypeScript(url)) return nextLoad(url, context)
  const filename = fileURLToPath(url)
  const text = await readFile(filename, 'utf8')
  const format = await formatOf(filename, text)
  return { format, source: await once(text, { filename, module: format === 'module' }), shortCircuit: true }
}

// A folder that one run of the suite shares with its processes: compiler and compilation would be most of their start.
const { DAYBOOK_STRIPPED: kept } = process.env

async function once(text, options) {
  if (kept === undefined) return javascriptOf(text, options)
  const name = createHash('sha256').update(JSON.stringify(options)).update(text).digest('hex')
  const file = join(kept, name)
  const before = await readFile(file, 'utf8').catch(() => undefined)
  if (before !== undefined) return before
  const code = await javascriptOf(text, options)
  const own = `${file}.${process.pid}`
  await writeFile(own, code)
    .then(() => rename(own, file))
    .catch(() => {}) // the run is over, and its folder is gone
  return code
}

let compiler

async function javascriptOf(text, options) {
  compiler ??= import('@swc/wasm-typescript')
  const { transformSync } = await compiler
  try {
    // Blanks in the place of types: lines and columns in stack traces stay true.
    return transformSync(text, { ...options, mode: 'strip-only' }).code
  } catch (error) {
    if (error?.code !== 'UnsupportedSyntax') throw syntaxError(error, options)
  }
  try {
    return transformSync(text, { ...options, mode: 'transform' }).code
  } catch (error) {
    throw syntaxError(error, options)
  }
}

const syntaxError = (error, { filename }) =>
  new SyntaxError(`${filename}:${error?.startLine ?? 0}: ${error?.message ?? error}\n${error?.snippet ?? ''}`)

/** By its name; `.ts` by what it says, and else by its package. `npm init` writes "commonjs" without being asked. */
async function formatOf(filename, text) {
  if (filename.endsWith('.mts')) return 'module'
  if (filename.endsWith('.cts')) return 'commonjs'
  return /^(?:import|export)\b/m.test(text) ? 'module' : ((await packageOf(dirname(filename))).type ?? 'commonjs')
}

const packages = new Map()

/** The nearest package.json, as Node looks for it. */
function packageOf(folder) {
  const known = packages.get(folder)
  if (known !== undefined) return known
  const parent = dirname(folder)
  const found = readFile(join(folder, 'package.json'), 'utf8').then(JSON.parse, () =>
    parent === folder ? {} : packageOf(parent),
  )
  packages.set(folder, found)
  return found
}
