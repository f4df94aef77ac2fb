// Lets Node 20 import TypeScript: strips the types with the compiler that vitest brings. Newer Nodes need nothing.
import { register } from 'node:module'

if (process.features.typescript !== 'strip') register('./typescript-hooks.mjs', import.meta.url)
