import { expect, test } from 'vitest'
import { bytesOfEmbedding, embeddingOfBytes } from '../src/index.ts'

test('an embedding comes back from its bytes, in whatever a driver hands them out', () => {
  const bytes = bytesOfEmbedding([1, -0.5, 1e-45])
  const numbers = Float32Array.of(1, -0.5, 1e-45)
  expect(embeddingOfBytes(bytes)).toEqual(numbers)
  expect(embeddingOfBytes(Uint8Array.from(bytes).buffer)).toEqual(numbers)
})

test.for([['AACAPw=='], [null], [undefined], [Uint8Array.of(0, 0, 128)]])('there is none in %o', ([given]) => {
  expect(embeddingOfBytes(given)).toEqual(new Float32Array())
})
