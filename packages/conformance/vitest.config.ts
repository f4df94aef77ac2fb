import { defineProject } from 'vitest/config'

const conditions = ['@daybook/source']

export default defineProject({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'conformance',
    include: ['{src,test,examples}/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
})
