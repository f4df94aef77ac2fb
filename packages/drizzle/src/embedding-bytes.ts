/** 32 bits a number, the lower byte first: what libSQL and MariaDB take for a vector. */
export function bytesOfEmbedding(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4)
  for (const [i, number] of numbers.entries()) bytes.writeFloatLE(number, i * 4)
  return bytes
}

export function embeddingOfBytes(given: Uint8Array | ArrayBuffer): Float32Array {
  const view = given instanceof ArrayBuffer ? new DataView(given) : viewOf(given)
  return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(i * 4, true))
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => new DataView(buffer, byteOffset, byteLength)
