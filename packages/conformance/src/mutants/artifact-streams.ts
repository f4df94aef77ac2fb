import type { ArtifactKey } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { isBytes, mapSave, over } from './artifact-overrides.ts'

/** All pieces are held, and none is copied, before the first is written: two faults, and each has its check. */
const readWhole: Mutant['wrap'] = (store) =>
  mapSave(store, async (key, content, options) => {
    if (isBytes(content) || !(Symbol.asyncIterator in Object(content)))
      return store.artifacts.save(key, content, options)
    const pieces: Uint8Array[] = []
    for await (const piece of content) pieces.push(piece)
    return store.artifacts.save(key, Buffer.concat(pieces), options)
  })

/** What streams of bytes do, gone wrong. */
export const artifactStreamMutants: readonly Mutant[] = [
  {
    id: 'M513',
    bug: 'pieces of a stream are kept by reference',
    check: 'ART-09',
    wrap: readWhole,
  },
  {
    id: 'M46',
    bug: 'what came of a stream before its error is saved',
    check: 'ART-09@abort',
    wrap: (store) =>
      mapSave(store, async (key, content, options) => {
        if (isBytes(content)) return store.artifacts.save(key, content, options)
        const pieces: Uint8Array[] = []
        try {
          for await (const piece of content) pieces.push(new Uint8Array(piece))
        } catch {
          // The bug.
        }
        return store.artifacts.save(key, Buffer.concat(pieces), options)
      }),
  },
  {
    id: 'M514',
    bug: 'a stream is read to its end before any of it is written',
    check: 'ART-09@memory',
    wrap: readWhole,
  },
  {
    id: 'M515',
    bug: 'a stream ends without a word where its version was deleted',
    check: 'ART-09@break',
    wrap: (store) =>
      over(store, {
        load: async (key: ArtifactKey, options?: { stream?: false }) => {
          const loaded = await store.artifacts.load(key, options)
          if (loaded === undefined || !('stream' in loaded)) return loaded
          return { ...loaded, stream: quiet(loaded.stream as AsyncIterable<Uint8Array>) } // it was asked for
        },
      }),
  },
  {
    id: 'M516',
    bug: 'a stream that is too long is read to its end, or to ten times the limit',
    check: 'ART-10',
    wrap: (store) =>
      mapSave(store, async (key, content, options) => {
        if (isBytes(content)) return store.artifacts.save(key, content, options)
        const pieces: Uint8Array[] = []
        for await (const piece of content) if (pieces.push(new Uint8Array(piece)) > 100) break
        return store.artifacts.save(key, Buffer.concat(pieces), options)
      }),
  },
  {
    id: 'M517',
    bug: 'what is too long is cut',
    check: 'ART-10',
    wrap: (store) =>
      mapSave(store, (key, content, options) =>
        store.artifacts.save(
          key,
          isBytes(content) ? content.subarray(0, store.limits.artifactBytes) : content,
          options,
        ),
      ),
  },
]

async function* quiet(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch {
    // The bug.
  }
}
