import type { Migration } from '@daybook/drizzle'

/** Frozen: a released migration never changes. Columns that may be empty: no row is written anew, however many there are. */
export const leases: Migration = {
  id: '0003',
  name: 'leases',
  makes: [],
  statements: [
    `ALTER TABLE {in}"{sessions}"
  ADD COLUMN "lease_owner" varchar(191) COLLATE "C",
  ADD COLUMN "lease_fence" bigint,
  ADD COLUMN "lease_until" bigint`,
  ],
}
