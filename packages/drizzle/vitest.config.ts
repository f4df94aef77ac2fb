import { defineProject } from 'vitest/config'
import { examples } from '../../tools/examples.ts'

const conditions = ['@daybook/source']

export default defineProject({
  plugins: [examples()],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name: 'drizzle', include: ['{src,test}/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 120_000 },
})
