import type { Migration } from '@daybook/drizzle'

/** Frozen: a released migration never changes. */
export const artifactAge: Migration = {
  id: '0006',
  name: 'artifact age',
  makes: [],
  statements: [`CREATE INDEX "{artifactVersions}_age" ON "{artifactVersions}" ("created_at", "aid", "version")`],
}
