/** 32 bits a number, the lower byte first: what libSQL and MariaDB take for a vector. */
export function bytesOfEmbedding(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4)
  for (const [i, number] of numbers.entries()) bytes.writeFloatLE(number, i * 4)
  return bytes
}

/** None in anything but such bytes. */
export function embeddingOfBytes(given: unknown): Float32Array {
  const view = viewOf(given)
  if (view === undefined || view.byteLength % 4 !== 0) return new Float32Array()
  return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(i * 4, true))
}

function viewOf(given: unknown): DataView | undefined {
  if (given instanceof ArrayBuffer) return new DataView(given)
  return ArrayBuffer.isView(given) ? new DataView(given.buffer, given.byteOffset, given.byteLength) : undefined
}
