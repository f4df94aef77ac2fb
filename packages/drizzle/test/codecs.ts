import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { PayloadCodec } from '../src/payload-codec.ts'

/** Encrypts, with the context bound: what is written differs each time. */
export const aesGcm = (id: string, key: Uint8Array): PayloadCodec => ({
  id,
  encode(plain, context) {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(JSON.stringify(context)))
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  },
  decode(bytes, context) {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
      .setAAD(Buffer.from(JSON.stringify(context)))
      .setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
  },
})

export const deflate: PayloadCodec = {
  id: 'deflate',
  encode: (plain) => deflateRawSync(plain),
  decode: (bytes) => inflateRawSync(bytes),
}

/** The same key in every process of a run. */
export const fixedAes: PayloadCodec = aesGcm('fixed-key', Buffer.alloc(32, 7))
