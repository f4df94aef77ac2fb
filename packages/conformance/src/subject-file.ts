import { register } from 'node:module'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SubjectError, type StoreUnderTest } from './define.ts'

/** Registered once, before the first TypeScript is imported. */
const state = { readsTypeScript: false }

/** The default export of a file, .ts .mts .cts .js .mjs or .cjs: what `defineStoreUnderTest` answered. */
export async function loadSubject(path: string): Promise<StoreUnderTest> {
  const file = resolve(path)
  if (!(await stat(file).catch(() => undefined))?.isFile()) throw new SubjectError(`there is no file ${path}`)
  if (!state.readsTypeScript) register('../bin/typescript-hooks.mjs', import.meta.url)
  state.readsTypeScript = true
  const module: object = (await import(pathToFileURL(file).href)) as object // a module is an object
  const found = unwrapped(module)
  if (!isSubject(found))
    throw new SubjectError(`the default export of ${path} is not what defineStoreUnderTest answers`)
  return found
}

/** A CommonJS file that a compiler made has its default export one level deeper. */
function unwrapped(module: object): unknown {
  const outer: unknown = Reflect.get(module, 'default')
  if (isSubject(outer) || typeof outer !== 'object' || outer === null) return outer
  return Reflect.get(outer, 'default')
}

const isSubject = (found: unknown): found is StoreUnderTest =>
  typeof found === 'object' &&
  found !== null &&
  typeof Reflect.get(found, 'provision') === 'function' &&
  typeof Reflect.get(found, 'subject') === 'object'
