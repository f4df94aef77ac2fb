import { defineProject } from 'vitest/config'

export default defineProject({ test: { name: 'tools', passWithNoTests: true, include: ['**/*.test.ts'] } })
