import { transformSync } from '@swc/wasm-typescript'
import { readFile } from 'node:fs/promises'
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
  return { format, source: javascriptOf(text, { filename, module: format === 'module' }), shortCircuit: true }
}

function javascriptOf(text, options) {
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
