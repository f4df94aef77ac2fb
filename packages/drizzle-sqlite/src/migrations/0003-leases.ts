import type { Migration } from '@daybook/drizzle'

/** Frozen: a released migration never changes. */
export const leases: Migration = {
  id: '0003',
  name: 'leases',
  makes: [],
  statements: [
    `ALTER TABLE "{sessions}" ADD COLUMN "lease_owner" text`,
    `ALTER TABLE "{sessions}" ADD COLUMN "lease_fence" integer`,
    `ALTER TABLE "{sessions}" ADD COLUMN "lease_until" integer`,
  ],
}
