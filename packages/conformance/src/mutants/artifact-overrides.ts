import type { ArtifactContent, ArtifactKey, SaveArtifactOptions, Store } from '@daybook/core'
import { wrapStore, type Overrides } from '../wrap.ts'

type Save = (
  key: ArtifactKey,
  content: ArtifactContent,
  options: SaveArtifactOptions | undefined,
) => ReturnType<Store['artifacts']['save']>

export const over = (store: Store, artifacts: NonNullable<Overrides['artifacts']>): Store =>
  wrapStore(store, { artifacts })

export const mapSave = (store: Store, save: Save): Store =>
  over(store, { save: (key, content, options) => save(key, content, options) })

export const isBytes = (content: ArtifactContent): content is Uint8Array => content instanceof Uint8Array

/** Everything that a content has, however it comes. */
export async function gathered(content: ArtifactContent): Promise<Uint8Array> {
  if (isBytes(content)) return content
  const pieces: Uint8Array[] = []
  for await (const piece of content) pieces.push(new Uint8Array(piece))
  return Buffer.concat(pieces)
}
