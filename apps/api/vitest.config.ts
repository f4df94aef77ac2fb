import { defineProject } from 'vitest/config'

const conditions = ['@daybook/source']

export default defineProject({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name: 'api', include: ['{src,test}/**/*.test.ts'], globalSetup: './test/build.ts', testTimeout: 30_000 },
})
