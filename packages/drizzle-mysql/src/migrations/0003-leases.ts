import type { Migration } from '@daybook/drizzle'

const columns = `ALTER TABLE \`{sessions}\`
  ADD COLUMN \`lease_owner\` varchar(191) CHARACTER SET utf8mb4 COLLATE {exact},
  ADD COLUMN \`lease_fence\` bigint,
  ADD COLUMN \`lease_until\` bigint`

/**
 * Frozen: a released migration never changes. One ALTER TABLE is done as a whole or not at all, and can be repeated once it is asked
 * for only where the columns are not there: of the two servers one alone has ADD COLUMN IF NOT EXISTS.
 */
export const leases: Migration = {
  id: '0003',
  name: 'leases',
  makes: [],
  statements: [
    `SET @daybook_leases = (SELECT if(count(*) = 0, '${columns}', 'DO 0') FROM information_schema.columns
  WHERE table_schema = database() AND lower(table_name) = lower('{sessions}') AND column_name = 'lease_owner')`,
    'PREPARE daybook_leases FROM @daybook_leases',
    'EXECUTE daybook_leases',
    'DEALLOCATE PREPARE daybook_leases',
  ],
}
