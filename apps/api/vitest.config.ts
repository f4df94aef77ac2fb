import { defineProject } from 'vitest/config'

const conditions = ['@daybook/source']

/** The whole suite runs on each database: here on SQLite, and by the root's projects `api-pg` and so on on the others. */
export default defineProject({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'api',
    include: ['{src,test}/**/*.test.ts'],
    globalSetup: ['./test/build.ts', '../../tools/servers/setup.ts'],
    setupFiles: './test/needs-database.ts',
    // Some tests start five servers, one after the other, each of which takes seconds when all tests run on a few cores at once.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    provide: { backend: 'sqlite' },
  },
})
