// Imports from one address into another until it is killed.
import { importFromAdk } from '../src/index.ts'
import { openStore } from '../src/open-store.ts'

const [from = '', to = ''] = process.argv.slice(2)
const store = await openStore(to, {})
await importFromAdk({ from, to: store, onProgress: ({ events }) => process.send?.(events.done) })
await store.close()
