import { createArtifactLeftovers, type ArtifactLeftovers } from './artifact-leftovers.ts'
import { createArtifactLookup, type ArtifactLookup } from './artifact-lookup.ts'
import { createArtifactRemoval, type ArtifactRemoval } from './artifact-removal.ts'
import type { ArtifactRows } from './artifact-rows.ts'
import { createArtifactSaves, type ArtifactSaves } from './artifact-saves.ts'
import type { Dialect } from './dialect.ts'
import type { Script } from './script.ts'

/** Everything about artifacts, as scripts: inside one transaction, whoever began it. */
export interface ArtifactScripts extends ArtifactSaves, ArtifactLookup, ArtifactRemoval, ArtifactLeftovers {}

export const createArtifactScripts = (dialect: Dialect, rows: ArtifactRows): ArtifactScripts => ({
  ...createArtifactSaves(dialect, rows),
  ...createArtifactLookup(dialect, rows),
  ...createArtifactRemoval(dialect, rows),
  ...createArtifactLeftovers(dialect, rows),
})

/** Of a dialect that has no such tables. */
export const noArtifacts = (scripts: ArtifactScripts): ArtifactScripts => ({
  ...scripts,
  removeAll: () => nothing({ names: 0, versions: 0 }),
  removeOfSessions: () => nothing(0),
  removeStaged: () => nothing(undefined),
})

// oxlint-disable-next-line require-yield -- it has nothing to ask the database
function* nothing<T>(answer: T): Script<T> {
  return answer
}
