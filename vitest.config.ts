import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      'packages/*',
      'apps/*',
      'tools',
      ...(['pg', 'mariadb', 'mysql'] as const).map((backend) => ({
        extends: './apps/api/vitest.config.ts' as const,
        root: './apps/api',
        test: { name: `api-${backend}`, provide: { backend } },
      })),
      {
        extends: './packages/drizzle-mysql/vitest.config.ts',
        root: './packages/drizzle-mysql',
        test: { name: 'drizzle-mysql-mysql', provide: { backend: 'mysql' } },
      },
    ],
    reporters: ['default', './tools/tally.ts'],
  },
})
