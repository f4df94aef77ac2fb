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
    testTimeout: 30_000,
    provide: { backend: 'sqlite' },
  },
})
