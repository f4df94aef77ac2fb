import { defineProject } from 'vitest/config'
import { examples } from '../../tools/examples.ts'

const conditions = ['@daybook/source']

/** All of it runs on both: here on MariaDB, and by the root's project `drizzle-mysql-mysql` on MySQL. */
export default defineProject({
  plugins: [examples()],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'drizzle-mysql',
    include: ['{src,test}/**/*.test.ts'],
    globalSetup: '../../tools/servers/setup.ts',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    provide: { backend: 'mariadb' },
  },
})
