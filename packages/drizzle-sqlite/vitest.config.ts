import { defineProject } from 'vitest/config'
import { examples } from '../../tools/examples.ts'

const conditions = ['@daybook/source']
/** The threads that a store starts read the sources too. */
const loader = new URL('../conformance/bin/typescript.mjs', import.meta.url).href

export default defineProject({
  plugins: [examples()],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'drizzle-sqlite',
    include: ['{src,test}/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    execArgv: ['--conditions=@daybook/source', '--import', loader],
  },
})
