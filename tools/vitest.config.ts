import { defineProject } from 'vitest/config'

const conditions = ['@daybook/source']

export default defineProject({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name: 'tools', include: ['*.test.ts', 'servers/*.test.ts'], testTimeout: 60_000, hookTimeout: 120_000 },
})
