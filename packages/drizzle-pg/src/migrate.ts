import type { Migration } from '@daybook/drizzle'
import { sessions } from './migrations/0001-sessions.ts'

/** In the order in which they are applied. */
export const allMigrations: readonly Migration[] = [sessions]
