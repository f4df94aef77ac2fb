// Lets Node import TypeScript, in the same way on every version: Node 20 strips no types, and newer ones refuse `enum` and
// know no `./store.js` that is written as `./store.ts`.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
