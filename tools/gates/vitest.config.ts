import { defineConfig } from 'vitest/config'

// These want the network and built packages, so they are no part of `npm test`: `node tools/pnpm.mjs run gates`.
export default defineConfig({
  test: {
    name: 'gates',
    root: import.meta.dirname,
    globalSetup: '../servers/setup.ts',
    provide: { backends: ['pg', 'mariadb'] },
    reporters: ['default', '../tally.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
